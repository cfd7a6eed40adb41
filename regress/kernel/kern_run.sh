#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Inside the kernel with IPsec (see uml.sh): kern_run.sh PROGRAM xfrm|pfkey STEP ...
# Fresh namespaces a and b for every step; 0 when all of them went well.

prog=$1 backend=$2
shift 2
failed=0

net() {
	for ns in a b; do
		ip netns del $ns 2>/dev/null
		ip netns add $ns || exit 1
		ip -n $ns link set lo up
	done
	ip link add va netns a type veth peer name vb netns b
	ip -n a addr add 192.0.2.1/24 dev va
	ip -n b addr add 192.0.2.2/24 dev vb
	ip -n a addr add 10.1.0.1/24 dev lo
	ip -n b addr add 10.2.0.1/24 dev lo
	ip -n a link set va up
	ip -n b link set vb up
	ip -n a route add 10.2.0.0/24 via 192.0.2.2 src 10.1.0.1
	ip -n b route add 10.1.0.0/24 via 192.0.2.1 src 10.2.0.1
}

for step; do
	net
	echo "--- $backend $step"
	# Only in the guest: the host's modules are not ours to unload.
	if [ "$step" = absent ]; then
		rmmod af_key || exit 1
	fi
	if ! "$prog" "$backend" "$step"; then
		echo "FAILED $backend $step"
		failed=1
	fi
done
exit $failed
