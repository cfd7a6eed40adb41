# 2026-11-26 03:00:00 by RouterOS 7.17.2
/ip ipsec profile
add dh-group=modp2048 enc-algorithm=aes-256 hash-algorithm=sha256 name=seattle
/ip ipsec peer
add address=192.0.2.1/32 comment=Seattle local-address=198.51.100.1 name=\
    seattle profile=seattle
/ip ipsec proposal
add auth-algorithms=sha256 enc-algorithms=aes-256-cbc name=seattle
/ip firewall nat
add action=masquerade chain=srcnat out-interface-list=WAN
/ip ipsec identity
add peer=seattle secret=my_great_secret
/ip ipsec policy
add dst-address=10.1.0.0/16 peer=seattle proposal=seattle src-address=\
    10.2.0.0/24 tunnel=yes
