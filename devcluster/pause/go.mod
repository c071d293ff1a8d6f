module modelward.dev/devcluster/pause

go 1.21
