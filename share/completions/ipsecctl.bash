# SPDX-License-Identifier: ISC
# bash completion of ipsecctl(8) and of its other name, ikectl

# The names of all tunnels, one a line; iked's read-only socket tells everybody.
_ipsecctl_tunnels()
{
	"${COMP_WORDS[0]}" show tunnels -j 2>/dev/null |
	    sed -n 's/^ *"tunnel": "\(.*\)",\{0,1\}$/\1/p'
}

# Offers the lines of $1 that begin with what stands there; blanks are quoted.
_ipsecctl_offer()
{
	local IFS=$'\n' w
	COMPREPLY=()
	for w in $1; do
		[[ $w == "$cur"* ]] && COMPREPLY+=("$(printf %q "$w")")
	done
}

_ipsecctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local i words=()
	COMPREPLY=()
	case $prev in
	-s)	mapfile -t COMPREPLY < <(compgen -W 'all flow sa' -- "$cur"
		    compgen -f -- "$cur"); return ;;
	-f)	mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	-o)	mapfile -t COMPREPLY < <(compgen -W \
		    'metrics iked routeros swanctl openbsd' -- "$cur"); return ;;
	-c|-i|-l) return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-[cfilos]) ((i++)) ;;
		-*)	;;
		*)	words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	if [[ $cur == -* ]]; then
		case ${words[0]} in
		show)	mapfile -t COMPREPLY < <(compgen -W '-g -j -v -w -i -o' -- "$cur") ;;
		watch)	mapfile -t COMPREPLY < <(compgen -W '-c -i -j' -- "$cur") ;;
		ping)	mapfile -t COMPREPLY < <(compgen -W '-c -i -l -j' -- "$cur") ;;
		reload)	mapfile -t COMPREPLY < <(compgen -W '-n -j' -- "$cur") ;;
		up|down) mapfile -t COMPREPLY < <(compgen -W '-w -i' -- "$cur") ;;
		events|monitor|trace) mapfile -t COMPREPLY < <(compgen -W -j -- "$cur") ;;
		mirror)	mapfile -t COMPREPLY < <(compgen -W '-f -o' -- "$cur") ;;
		'')	mapfile -t COMPREPLY < <(compgen -W '-s -k -m -v' -- "$cur") ;;
		esac
		return
	fi
	case ${#words[@]}:${words[0]}:${words[1]} in
	0:*)	mapfile -t COMPREPLY < <(compgen -W 'show watch events monitor exporter genpsk ping trace
		    probe doctor keepalive up down rekey recreate reset check flush reload log mirror
		    diff' -- "$cur") ;;
	1:show:) mapfile -t COMPREPLY < <(compgen -W 'tunnels peers sa policies
		    keepalive kernel stats configuration all svg' -- "$cur") ;;
	1:log:) mapfile -t COMPREPLY < <(compgen -W 'verbose info warning' -- "$cur") ;;
	1:keepalive:) mapfile -t COMPREPLY < <(compgen -W backup -- "$cur") ;;
	2:keepalive:backup) mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$cur") ;;
	1:diff:|2:diff:*|1:exporter:)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	1:rekey:) _ipsecctl_offer "$(echo ike; _ipsecctl_tunnels)" ;;
	1:doctor:|1:watch:|1:monitor:|1:ping:|1:trace:|1:probe:|1:up:|1:down:|1:recreate:|1:reset:|1:check:|1:mirror:|\
	2:rekey:ike|2:show:tunnels|2:show:sa|2:show:policies|2:show:kernel|2:show:keepalive)
		_ipsecctl_offer "$(_ipsecctl_tunnels)" ;;
	esac
}
complete -F _ipsecctl ipsecctl

_ikectl()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	case $COMP_CWORD:${COMP_WORDS[1]} in
	1:*)	mapfile -t COMPREPLY < <(compgen -W 'show monitor reload log reset' -- "$cur") ;;
	2:show) mapfile -t COMPREPLY < <(compgen -W 'sa stats' -- "$cur") ;;
	2:log)	mapfile -t COMPREPLY < <(compgen -W 'verbose brief' -- "$cur") ;;
	2:reset) mapfile -t COMPREPLY < <(compgen -W 'sa all' -- "$cur") ;;
	esac
}
complete -F _ikectl ikectl
