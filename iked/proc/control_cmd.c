/* SPDX-License-Identifier: ISC */
/* Commands: who may say what, and what follows (iked.control(5)). */

#include <sys/types.h>

#include <string.h>

#include "proc/control.h"
#include "proc/version.h"

#define F_RO		1	/* allowed on the read-only socket */
#define F_KEEPALIVE	2	/* allowed after `role keepalive' */
#define F_ROOT		4	/* root only */

/* A name for a place in the table and this very question, never 0. */
static uint64_t
new_token(struct client *c)
{
	static uint32_t count;
	uint64_t place = (uint64_t)(c - ct.c);

	c->io.busy = 1;
	c->token = (uint64_t)c->serial << 40 | (uint64_t)(++count & 0xfffffff) << 8 | place;
	return (c->token);
}

static void
lost(struct client *c)
{
	client_end(c, "iked is too busy to answer; try again");
}

/* show */

static int
stage_wanted(struct client *c)
{
	while (c->stage < ST_END && (c->stages & 1U << c->stage) == 0) {
		c->stage = (enum stage)(c->stage + 1);
		c->cursor = 0;
	}
	return (c->stage < ST_END);
}

static void
ask_slice(struct client *c)
{
	static const enum show_kind kinds[ST_END] = {
		[ST_TUNNEL] = SHOWK_TUNNEL, [ST_PEER] = SHOWK_PEER,
		[ST_SA] = SHOWK_SA, [ST_STATS] = SHOWK_STATS, [ST_PLAN] = SHOWK_PLAN
	};
	struct policy_ask pa;
	struct show_ask sa;
	struct msg m;
	int rv;

	c->asked = 1;
	if (c->stage == ST_POLICY || c->stage == ST_SYSTEM) {
		pa.token = new_token(c);
		pa.cursor = c->cursor;
		msg_put_policies(&m, c->stage == ST_POLICY ? M_POLICIES : M_SYSTEM,
		    &pa);
		rv = chan_put(ct.kernel, &m);
	} else {
		sa.token = new_token(c);
		sa.cursor = c->cursor;
		sa.kind = kinds[c->stage];
		(void)strlcpy(sa.name, c->only, sizeof(sa.name));
		msg_put_show(&m, &sa);
		rv = chan_put(ct.ike, &m);
	}
	if (rv == -1)
		lost(c);
}

void
cmd_continue(struct client *c)
{
	struct json j;

	if (!c->showing || c->asked || client_unread(c) >= OUT_HIGH)
		return;
	while (stage_wanted(c)) {
		if (c->stage == ST_CONF) {
			json_conf(&j, &ct.bad, ct.read);
			client_line(c, &j);
			c->stages &= ~(1U << ST_CONF);
			continue;
		}
		if (c->stage != ST_KEEPALIVE) {
			ask_slice(c);
			return;
		}
		report_show(c);
		if (c->io.fd == -1 || c->cursor != UINT64_MAX)
			return;
		c->stages &= ~(1U << ST_KEEPALIVE);
	}
	c->showing = 0;
	if (c->only[0] != '\0' && !c->found)
		client_end_code(c, engine_unknown, REFUSED_UNKNOWN);
	else
		client_end(c, NULL);
}

static void
show_start(struct client *c, unsigned stages)
{
	c->io.busy = 1;
	c->showing = 1;
	c->asked = 0;
	c->stages = stages;
	c->stage = ST_TUNNEL;
	c->cursor = 0;
	cmd_continue(c);
}

void
cmd_planned(struct client *c)
{
	c->plan = 0;
	c->only[0] = '\0';
	show_start(c, 1U << ST_PLAN);
}

static void
cmd_show(struct client *c, char *args)
{
	static const struct {
		const char	*name;
		unsigned	 stages;
	} what[] = {
		{ "tunnels", 1U << ST_TUNNEL }, { "peers", 1U << ST_PEER },
		{ "sa", 1U << ST_SA }, { "policies", 1U << ST_POLICY },
		{ "keepalive", 1U << ST_KEEPALIVE }, { "stats", 1U << ST_STATS },
		{ "configuration", 1U << ST_CONF },
		{ "kernel", 1U << ST_SYSTEM }, { "all", ST_ALL }
	};
	char *word, *name = NULL;
	size_t i;
	int bad = 0;

	word = lineio_word(&args, &bad);
	for (i = 0; i < sizeof(what) / sizeof(what[0]) && word != NULL; i++)
		if (strcmp(word, what[i].name) == 0)
			break;
	if (word != NULL && i < sizeof(what) / sizeof(what[0]) &&
	    what[i].stages == 1U << ST_TUNNEL)
		name = lineio_word(&args, &bad);
	if (word == NULL || i == sizeof(what) / sizeof(what[0]) ||
	    (name != NULL && (*name == '\0' || strlen(name) >= sizeof(c->only))) ||
	    lineio_word(&args, &bad) != NULL || bad) {
		client_end(c, "write: show tunnels [NAME] | peers | sa | policies | "
		    "keepalive | stats | configuration | kernel | all");
		return;
	}
	if (c->keepalive && what[i].stages != 1U << ST_TUNNEL) {
		client_end(c, "role keepalive may only show tunnels");
		return;
	}
	if (what[i].stages == 1U << ST_SYSTEM && c->ro) {
		client_end(c, "the kernel is shown on iked.sock, to root and its "
		    "group");
		return;
	}
	if (what[i].stages == 1U << ST_KEEPALIVE && report_connected() == 0) {
		client_end(c, "netwatchd is not connected");
		return;
	}
	(void)strlcpy(c->only, name != NULL ? name : "", sizeof(c->only));
	c->found = 0;
	show_start(c, what[i].stages);
}

/* The others. */

static int
take_name(struct client *c, char *args, char *name)
{
	char *word;
	int bad = 0;

	if ((word = lineio_word(&args, &bad)) == NULL || bad ||
	    strlen(word) >= CONF_NAMELEN || lineio_word(&args, &bad) != NULL) {
		client_end(c, "this command takes one tunnel's name; one with "
		    "blanks goes in double quotes");
		return (-1);
	}
	(void)strlcpy(name, word, CONF_NAMELEN);
	return (0);
}

static void
tunnel_command(struct client *c, char *args, enum engine_cmd cmd)
{
	struct command q;
	struct msg m;

	memset(&q, 0, sizeof(q));
	if (take_name(c, args, q.name) == -1)
		return;
	q.cmd = cmd;
	q.who = c->keepalive ? WAKE_KEEPALIVE : WAKE_COMMAND;
	q.token = new_token(c);
	msg_put_command(&m, &q);
	if (chan_put(ct.ike, &m) == -1)
		lost(c);
}

static void
cmd_up(struct client *c, char *args)
{
	tunnel_command(c, args, CMD_UP);
}

static void
cmd_down(struct client *c, char *args)
{
	tunnel_command(c, args, CMD_DOWN);
}

/* rekey [ike] tunnel; one word alone is a tunnel's name, even this one. */
static void
cmd_rekey(struct client *c, char *args)
{
	char *p = args + strspn(args, " \t");

	if (strncmp(p, "ike", 3) == 0 && (p[3] == ' ' || p[3] == '\t') &&
	    p[3 + strspn(p + 3, " \t")] != '\0')
		tunnel_command(c, p + 3, CMD_REKEY_IKE);
	else
		tunnel_command(c, args, CMD_REKEY);
}

static void
cmd_recreate(struct client *c, char *args)
{
	tunnel_command(c, args, CMD_RECREATE);
}

static void
cmd_reset(struct client *c, char *args)
{
	tunnel_command(c, args, CMD_RESET);
}

static void
cmd_check(struct client *c, char *args)
{
	tunnel_command(c, args, CMD_CHECK);
}

/* One question a name.  The answers do not say whose they are, but which: the names are
 * remembered where lines wait. */
static void
cmd_counters(struct client *c, char *args)
{
	struct counters_ask q;
	struct msg m;
	uint64_t i, token;
	char *word;
	int bad = 0;

	c->nnames = c->nanswers = 0;
	while (c->nnames < COUNTERS_NAMES && (word = lineio_word(&args, &bad)) != NULL &&
	    strlen(word) < CONF_NAMELEN)
		(void)strlcpy(c->name[c->nnames++], word, CONF_NAMELEN);
	if (c->nnames == 0 || bad || args[strspn(args, " \t")] != '\0') {
		client_end(c, "this command takes the names of 1 to 16 tunnels; those with "
		    "blanks go in double quotes");
		return;
	}
	token = new_token(c);
	for (i = 0; i < c->nnames; i++) {
		memset(&q, 0, sizeof(q));
		q.token = token | i << TOKEN_INDEX;
		(void)strlcpy(q.name, c->name[i], sizeof(q.name));
		msg_put_counters(&m, &q);
		if (chan_put(ct.ike, &m) == -1) {
			lost(c);
			return;
		}
	}
}

static void
cmd_flush(struct client *c, char *args)
{
	struct msg m;

	(void)args;
	msg_put_token(&m, M_FLUSH, new_token(c));
	if (chan_put(ct.ike, &m) == -1)
		lost(c);
}

static void
cmd_reload(struct client *c, char *args)
{
	struct msg m;
	char *word;
	int bad = 0;

	word = lineio_word(&args, &bad);
	if (bad || (word != NULL && (strcmp(word, "plan") != 0 ||
	    lineio_word(&args, &bad) != NULL))) {
		client_end(c, "write: reload [plan]");
		return;
	}
	c->plan = word != NULL;
	msg_put_token(&m, word != NULL ? M_PLAN : M_RELOAD, new_token(c));
	if (chan_put(ct.ike, &m) == -1)
		lost(c);
}

static void
cmd_log(struct client *c, char *args)
{
	enum log_level level;
	struct msg m;
	int bad = 0;
	char *word = lineio_word(&args, &bad);

	if (bad || word == NULL || log_level_parse(word, &level) == -1) {
		client_end(c, "write: log verbose | info | warning");
		return;
	}
	msg_put_u8(&m, M_SETVERBOSE, (uint8_t)level);
	client_end(c, chan_put(ct.ike, &m) == -1 ?
	    "iked is too busy; try again" : NULL);
}

static void
cmd_role(struct client *c, char *args)
{
	char *word;
	int bad = 0;

	word = lineio_word(&args, &bad);
	if (word == NULL || bad || strcmp(word, "keepalive") != 0) {
		client_end(c, "write: role keepalive");
		return;
	}
	if (!c->keepalive && report_connected() >= CLIENTS_KEEPALIVE) {
		client_end(c, "as many have this role as may");
		return;
	}
	c->keepalive = 1;
	client_end(c, NULL);
}

static void
cmd_report(struct client *c, char *args)
{
	const char *why;

	if (!c->keepalive) {
		client_end(c, "report is for a connection that said: role "
		    "keepalive");
		return;
	}
	client_end(c, report_take(c, args, &why) == -1 ? why : NULL);
}

static void
cmd_version(struct client *c, char *args)
{
	struct json j;

	(void)args;
	json_begin(&j);
	json_str(&j, "kind", "version");
	json_u64(&j, "ikeep", 1);
	json_str(&j, "version", IKEEP_VERSION);
	client_line(c, &j);
	client_end(c, NULL);
}

static const struct {
	const char	*name;
	void		(*run)(struct client *, char *);
	int		 flags;
} commands[] = {
	{ "show", cmd_show, F_RO | F_KEEPALIVE },
	{ "version", cmd_version, F_RO | F_KEEPALIVE },
	{ "monitor", cmd_monitor, F_RO },
	{ "up", cmd_up, F_KEEPALIVE },
	{ "down", cmd_down, F_KEEPALIVE },
	{ "rekey", cmd_rekey, F_KEEPALIVE },
	{ "recreate", cmd_recreate, F_KEEPALIVE },
	{ "reset", cmd_reset, F_KEEPALIVE },
	{ "check", cmd_check, F_KEEPALIVE },
	{ "counters", cmd_counters, F_KEEPALIVE },
	{ "report", cmd_report, F_KEEPALIVE },
	{ "role", cmd_role, F_KEEPALIVE },
	{ "reload", cmd_reload, 0 },
	{ "log", cmd_log, 0 },
	{ "flush", cmd_flush, F_ROOT },
};

void
cmd_line(struct client *c, char *line)
{
	char *word, none[] = "";
	size_t i;
	int bad = 0;

	c->showing = c->plan = 0;
	if ((word = lineio_word(&line, &bad)) == NULL)
		word = none;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word, commands[i].name) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		client_end(c, "unknown command; iked.control(5) lists them");
	else if (c->ro && (commands[i].flags & F_RO) == 0)
		client_end(c, "this socket only shows; use iked.sock");
	else if (c->keepalive && (commands[i].flags & F_KEEPALIVE) == 0)
		client_end(c, "this connection has role keepalive for good");
	else if ((commands[i].flags & F_ROOT) != 0 && c->uid != 0)
		client_end(c, "only root may do this");
	else
		commands[i].run(c, line);
}
