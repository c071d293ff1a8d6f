import sys
import cluster
from settings import KUBECONFIG

if sys.argv[1] == "up":
    cluster.up()
elif sys.argv[1] == "down":
    cluster.down(purge="--purge" in sys.argv)
elif sys.argv[1] == "status":
    print(cluster.status())
