# SPDX-License-Identifier: ISC
# Completion of ipsecctl(8) for OpenBSD's ksh and its kin: ". this file" in ~/.kshrc.
# Names of tunnels are those there are when it is read.
set -A complete_ipsecctl_1 -- show watch events monitor exporter genpsk ping trace probe doctor keepalive up down rekey \
    recreate reset check flush reload log mirror diff
set -A complete_ipsecctl_2 -- flow tunnels peers sa policies keepalive kernel stats configuration all svg \
    verbose info warning backup ike $(ipsecctl show tunnels -j 2>/dev/null |
    sed -n 's/^ *"tunnel": "\([^ ]*\)",\{0,1\}$/\1/p')
set -A complete_ipsecctl_3 -- on off -j -w -g -v -k -m -i -n -c -l -o -f
set -A complete_ikectl_1 -- show monitor reload log reset
set -A complete_ikectl_2 -- sa stats verbose brief all
