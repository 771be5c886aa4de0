"""What a set of objects means: validity, graph, standing, credits, snapshots, bundles."""
