// Prints what IPLD's own JavaScript reads in a CAR, a JSON line each: `node read_car.mjs FILE.car`.
// First the roots; then each block with its CID, whether it hashes to it, and, of dag-cbor, its bytes as encoded again and its links.
import { createReadStream } from 'node:fs'
import { CarBlockIterator } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'

const linksOf = (value) => {
  const cid = CID.asCID(value)
  if (cid !== null) return [cid.toString()]
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(linksOf)
}

const car = await CarBlockIterator.fromIterable(createReadStream(process.argv[2]))
console.log(JSON.stringify({ roots: (await car.getRoots()).map(String) }))
for await (const { cid, bytes } of car) {
  const digest = await sha256.digest(bytes)
  const line = { cid: cid.toString(), hashes: Buffer.from(digest.bytes).equals(Buffer.from(cid.multihash.bytes)) }
  if (cid.code === dagCbor.code) {
    const value = dagCbor.decode(bytes)
    line.again = Buffer.from(dagCbor.encode(value)).toString('hex')
    line.links = linksOf(value)
    line.kind = value.kind
  }
  console.log(JSON.stringify(line))
}
