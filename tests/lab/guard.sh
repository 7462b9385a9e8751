#!/bin/sh
# guard.sh PREFIX FOLDER: waits until its input ends, which it does with whoever started it, and then removes the network namespaces whose
# names begin with the prefix, what still runs in them, and the folder.
trap '' INT TERM HUP
cat > /dev/null
for name in $(ip netns list | cut -d' ' -f1 | grep "^$1-"); do
  ip netns pids "$name" | xargs -r kill -9 2> /dev/null
  ip netns del "$name"
done
rm -rf "$2"
