"""essence-images.json: SVG [MED-16]."""

from __future__ import annotations

from maker.pictures import Pictures

SVG = "http://www.w3.org/2000/svg"


def svgs(book: Pictures) -> None:
    def same(name: str, why: str, text: str | bytes, payload: str) -> None:
        data = text.encode() if isinstance(text, str) else text
        book.same("MED-16", f"svg-{name}", why, data, "svg/1", payload.encode())

    def odd(name: str, why: str, text: str | bytes) -> None:
        book.odd("MED-16", f"svg-{name}", why, text.encode() if isinstance(text, str) else text)

    def svg(inside: str, more: str = "") -> str:
        return f'<svg xmlns="{SVG}"{more}>{inside}</svg>'

    def tree(inside: str, more: str = "") -> str:
        return f"<{{{SVG}}}svg{more}>{inside}</{{{SVG}}}svg>"

    def element(name: str, attributes: str = "", inside: str = "") -> str:
        return f"<{{{SVG}}}{name}{attributes}>{inside}</{{{SVG}}}{name}>"

    rect = tree(element("rect", ' height="1" width="2"'))
    drawn = '<rect width="2" height="1"/>'
    plain = svg(drawn)
    same("plain", "a rectangle; attributes are sorted", plain, rect)
    same(
        "declared",
        "an XML declaration and a byte order mark",
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\n' + plain,
        rect,
    )
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    same("doctype", "the document type of SVG 1.1", doctype + plain, rect)
    same(
        "written-otherwise",
        "other quotes, spaces, prefixes and empty elements",
        f"<svg xmlns='{SVG}' xmlns:s='{SVG}' >\n <s:rect height = '1'\n\twidth=\"2\"></s:rect >\n</svg>\n",
        rect,
    )
    metadata = '<metadata id="m"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about=""/></r:RDF>hello</metadata>'
    same(
        "metadata",
        "metadata and comments",
        "<!-- a -->" + svg(f" {metadata} <!-- b --> {drawn}") + "<!-- c -->",
        rect,
    )
    same(
        "rdf",
        "RDF without metadata around it",
        svg(
            '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/><rect width="2" height="1"/>'
        ),
        rect,
    )
    same(
        "unused-prefix",
        "a namespace declaration that nothing uses",
        svg('<rect width="2" height="1"/>', ' xmlns:x="y"'),
        rect,
    )
    same(
        "text",
        "white space in a text stays",
        svg("<text>\r\n <tspan> </tspan>a</text> "),
        tree(element("text", "", "&#xA; " + element("tspan", "", " ") + "a")),
    )
    same(
        "escapes",
        "references and CDATA",
        svg("<title a='&lt;&#9;&quot;\n'>&amp;<![CDATA[<]]>&#x41;</title>"),
        tree(element("title", ' a="&lt;&#x9;&quot; "', "&amp;&lt;A")),
    )
    same(
        "foreign",
        "elements of others stay",
        svg('<v:x xmlns:v="urn:v" v:b="1" b="2"/>'),
        tree('<{urn:v}x b="2" {urn:v}b="1"></{urn:v}x>'),
    )
    same(
        "style",
        "a plain style sheet",
        svg("<style>.a{fill:url(#g)}</style>"),
        tree(element("style", "", ".a{fill:url(#g)}")),
    )
    same(
        "data",
        "a picture inside",
        svg('<image href="data:image/png;base64,AA"/>'),
        tree(element("image", ' href="data:image/png;base64,AA"')),
    )
    same(
        "link",
        "a link",
        svg('<a href="https://example.org/"><path/></a>'),
        tree(element("a", ' href="https://example.org/"', element("path"))),
    )

    odd("utf-8", "Latin-1", svg("<title>\xe9</title>").encode("latin-1"))
    odd(
        "encoding",
        "another encoding is declared",
        '<?xml version="1.0" encoding="latin1"?>' + plain,
    )
    odd("version", "XML 1.1", '<?xml version="1.1"?>' + plain)
    odd("entity", "an entity", svg("<title>&nbsp;</title>"))
    odd(
        "bomb",
        "a document type with entities",
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("<title>&a;</title>"),
    )
    odd(
        "doctype-other",
        "a document type from elsewhere",
        doctype.replace("www.w3.org/G", "example.org/G") + plain,
    )
    odd(
        "instruction",
        "a style sheet by processing instruction",
        '<?xml-stylesheet href="a.css"?>' + plain,
    )
    odd("namespace", "no namespace", "<svg/>")
    odd("root", "another root", f'<g xmlns="{SVG}"/>')
    odd("two-roots", "two roots", plain + plain)
    odd("behind", "a text behind the root", plain + "x")
    odd("open", "an element that isn't closed", plain.removesuffix("</svg>"))
    odd("crossed", "elements that cross", svg("<g><a></g></a>"))
    odd("prefix", "a prefix that isn't declared", svg("<x:y/>"))
    odd("twice", "an attribute twice", svg('<rect width="1" width="2"/>'))
    odd(
        "twice-by-prefix",
        "an attribute twice under two prefixes",
        svg('<rect a:x="1" b:x="2" xmlns:a="u" xmlns:b="u"/>'),
    )
    odd("lt", "a less-than sign in a value", svg('<rect a="<"/>'))
    odd("control", "a control character", svg("<title>\x01</title>"))
    odd("control-reference", "a control character by reference", svg("<title>&#1;</title>"))
    odd("surrogate", "a surrogate by reference", svg("<title>&#xD800;</title>"))
    odd("comment", "two hyphens in a comment", svg("<!-- a -- b -->"))
    odd("cdata-end", "the end of a CDATA section in a text", svg("<title>]]></title>"))
    odd("name", "a name that isn't ASCII", svg("<v\xe9/>"))
    for name in ("script", "handler", "listener", "foreignObject"):
        odd(name.lower(), f"an element {name}", svg(f"<{name}/>"))
    odd("html", "an element of HTML", svg('<p xmlns="http://www.w3.org/1999/xhtml"/>'))
    odd(
        "html-in-metadata",
        "an element of HTML in metadata",
        svg('<metadata><p xmlns="http://www.w3.org/1999/xhtml"/></metadata>'),
    )
    odd(
        "style-in-metadata",
        "a style sheet in metadata",
        svg("<metadata><style>rect{fill:red}</style></metadata>"),
    )
    odd(
        "shape-in-metadata",
        "a shape in metadata, drawn from outside",
        svg('<metadata><path id="a"/></metadata><use href="#a"/>'),
    )
    odd(
        "id-in-metadata",
        "an id in metadata that hides another",
        svg('<metadata><x xmlns="urn:x" id="a"/></metadata><path id="a"/>'),
    )
    odd(
        "metadata-in-switch",
        "metadata that a switch may choose",
        svg("<switch><metadata/><path/></switch>"),
    )
    odd("metadata-in-text", "metadata in a text", svg("<text><metadata/></text>"))
    odd("metadata-in-style", "metadata in a style sheet", svg("<style>a<metadata/></style>"))
    odd("metadata-root", "a root that is metadata", f'<metadata xmlns="{SVG}"/>')
    odd("event", "a script in an attribute", svg('<rect onclick="x()"/>'))
    odd("base", "xml:base", svg("", ' xml:base="http://example.org/"'))
    odd("image", "a picture from elsewhere", svg('<image href="https://example.org/a.png"/>'))
    odd(
        "use",
        "a part of another file",
        svg('<use x:href="a.svg#b" xmlns:x="http://www.w3.org/1999/xlink"/>'),
    )
    odd("script-link", "a script in a link", svg('<a href=" java&#10;script:x()"/>'))
    odd(
        "animated-link",
        "a reference that changes",
        svg('<use href="#a"><set attributeName="xlink:href" to="b.svg#c"/></use>'),
    )
    odd("url", "a pattern from another file", svg("<rect fill=\"url( 'a.svg#b')\"/>"))
    odd("import", "a style sheet from another file", svg("<style>@IMPORT 'a.css';</style>"))
    odd("font", "a font from another file", svg("<style>@font-face{src:url(a.woff)}</style>"))
    odd("backslash", "an escape in a style", svg('<rect style="fill:u\\72l(a.svg#b)"/>'))
    for name, selector in (
        ("plus", "metadata+rect"),
        ("tilde", "a ~ b"),
        ("nth", "rect:nth-child(2)"),
        ("first", "rect:FIRST-child"),
        ("last", "rect:last-of-type"),
        ("only", "rect:only-child"),
        ("empty", "g:empty"),
        ("has", "g:has(a)"),
        ("escape", "rect:n\\74h-child(2)"),
        ("namespace", "@namespace url(#);"),
    ):
        odd(
            f"selector-{name}",
            "a selector that sees neighbours",
            svg(f"<style>{selector}{{fill:red}}</style>"),
        )
    odd("style-child", "an element in a style sheet", svg("<style><g/></style>"))
    deep = svg("<g>" * 255 + "</g>" * 255)
    same(
        "256-deep",
        "256 elements in each other",
        deep,
        tree("".join([f"<{{{SVG}}}g>"] * 255 + [f"</{{{SVG}}}g>"] * 255)),
    )
    odd("257-deep", "257 elements in each other", svg("<g>" * 256 + "</g>" * 256))
    many = [f' a{n:03}="1"' for n in range(256)]
    same(
        "256-attributes",
        "256 attributes",
        svg(f"<g{''.join(many)}/>"),
        tree(element("g", "".join(many))),
    )
    odd("257-attributes", "257 attributes", svg(f"<g{''.join(many)} b='1'/>"))
    prefixes = "".join(f' xmlns:a{n}="urn:{n}"' for n in range(63))
    same(
        "64-prefixes",
        "64 prefixes, `xml` and none among them",
        svg("", prefixes[: prefixes.index(" xmlns:a62")]),
        tree(""),
    )
    odd("65-prefixes", "65 prefixes", svg("", prefixes))
