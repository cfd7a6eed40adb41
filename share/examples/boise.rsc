# Boise's side of the tunnel to Seattle as a RouterOS 7 script; Seattle runs
# iked with seattle-routeros.conf.  It expects the firewall of RouterOS's default
# configuration (masquerade, drop and FastTrack rules); without one of them, leave
# out that place-before.  Read it, set the secret, then:
#	/import file-name=boise.rsc
#
#	Seattle 10.1.0.0/24 -- 192.0.2.1 ...Internet... 198.51.100.1 -- 10.2.0.0/24 Boise

# Phase 1.  RouterOS's own defaults (SHA-1, modp1024) are too weak for iked's.
/ip/ipsec/profile
add name=seattle enc-algorithm=aes-256,aes-128 hash-algorithm=sha256 \
    prf-algorithm=auto dh-group=modp2048 lifetime=1d dpd-interval=30s

# Phase 2.  pfs-group must be childsa's group in Seattle.
/ip/ipsec/proposal
add name=seattle enc-algorithms=aes-256-cbc,aes-128-cbc \
    auth-algorithms=sha256 pfs-group=modp2048 lifetime=1h

# exchange-mode: the default is main, which is IKEv1.
/ip/ipsec/peer
add name=seattle address=192.0.2.1/32 local-address=198.51.100.1 \
    exchange-mode=ike2 profile=seattle comment="Seattle"

/ip/ipsec/identity
add peer=seattle auth-method=pre-shared-key generate-policy=no \
    my-id=address:198.51.100.1 remote-id=address:192.0.2.1 \
    secret="change me: see ipsecctl genpsk" comment="Seattle"

# tunnel=yes is not the default.  level=unique: an SA of its own.
/ip/ipsec/policy
add peer=seattle tunnel=yes src-address=10.2.0.0/24 dst-address=10.1.0.0/24 \
    protocol=all action=encrypt level=unique ipsec-protocols=esp \
    proposal=seattle comment="Seattle traffic"

# NAT comes before IPsec: without this rule above masquerade the packets no
# longer fit the policy and leave in clear.
/ip/firewall/nat
add chain=srcnat action=accept src-address=10.2.0.0/24 \
    dst-address=10.1.0.0/24 comment="IPsec to Seattle: no NAT" \
    place-before=([find where chain=srcnat action=masquerade]->0)

# IKE and ESP from Seattle, above the first rule that drops.
/ip/firewall/filter
add chain=input action=accept protocol=udp dst-port=500,4500 \
    src-address=192.0.2.1 comment="IKE from Seattle" \
    place-before=([find where chain=input action=drop]->0)
add chain=input action=accept protocol=ipsec-esp src-address=192.0.2.1 \
    comment="ESP from Seattle" \
    place-before=([find where chain=input action=drop]->0)

# FastTrack goes around IPsec: accept the tunnel's packets before that rule.
add chain=forward action=accept ipsec-policy=in,ipsec \
    src-address=10.1.0.0/24 dst-address=10.2.0.0/24 \
    comment="IPsec from Seattle: no FastTrack" \
    place-before=([find where action=fasttrack-connection]->0)
add chain=forward action=accept ipsec-policy=out,ipsec \
    src-address=10.2.0.0/24 dst-address=10.1.0.0/24 \
    comment="IPsec to Seattle: no FastTrack" \
    place-before=([find where action=fasttrack-connection]->0)

# Connections from before the NAT rule keep their translation until forgotten.
/ip/firewall/connection
remove [find where src-address~"^10\\.2\\.0\\." and dst-address~"^10\\.1\\.0\\."]
