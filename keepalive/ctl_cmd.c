/* SPDX-License-Identifier: ISC */
/* Lines into commands (netwatchd.control(5)).  Pure. */

#include <string.h>

#include "keepalive/ctl_local.h"
#include "keepalive/ctl_ping.h"

#define BADNAME	"a tunnel's name is too long"

static int
take_name(struct ctl_cmd *cmd, const char *word)
{
	if (*word == '\0' || strlen(word) >= sizeof(cmd->name))
		return (-1);
	(void)memcpy(cmd->name, word, strlen(word) + 1);
	return (0);
}

static const char *
no_words(char **args, struct ctl_cmd *cmd)
{
	(void)args;
	(void)cmd;
	return (NULL);
}

static const char *
show(char **args, struct ctl_cmd *cmd)
{
	static const char usage[] = "write: show keepalive [name], or: "
	    "show history [name]";
	int bad = 0;
	char *word = lineio_word(args, &bad);

	if (word != NULL && strcmp(word, "history") == 0)
		cmd->verb = CTL_HISTORY;
	else if (word == NULL || strcmp(word, "keepalive") != 0)
		return (usage);
	if ((word = lineio_word(args, &bad)) != NULL &&
	    take_name(cmd, word) == -1)
		return (BADNAME);
	return (bad ? usage : NULL);
}

static const char *
probe(char **args, struct ctl_cmd *cmd)
{
	int bad = 0;
	char *word = lineio_word(args, &bad);

	if (word == NULL)
		return ("write: probe name");
	return (take_name(cmd, word) == -1 ? BADNAME : NULL);
}

/* A decimal number within its bounds. */
static int
take_number(uint32_t *n, const char *word, uint32_t least, uint32_t most)
{
	uint32_t v = 0;

	if (*word == '\0')
		return (-1);
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9' || v > most / 10)
			return (-1);
		v = v * 10 + (uint32_t)(*word - '0');
	}
	if (v < least || v > most)
		return (-1);
	*n = v;
	return (0);
}

static const char *
ping(char **args, struct ctl_cmd *cmd)
{
	int bad = 0;
	char *word = lineio_word(args, &bad);

	cmd->count = PING_COUNT;
	cmd->wait_ms = PING_WAIT_MS;
	if (word == NULL)
		return ("write: ping name [count [milliseconds [octets]]]");
	if (take_name(cmd, word) == -1)
		return (BADNAME);
	if ((word = lineio_word(args, &bad)) != NULL &&
	    take_number(&cmd->count, word, 1, PING_COUNTMAX) == -1)
		return ("ping: the count is 1 to 100000");
	if (word != NULL && (word = lineio_word(args, &bad)) != NULL &&
	    take_number(&cmd->wait_ms, word, PING_WAITMIN, PING_WAITMAX) == -1)
		return ("ping: the milliseconds are 10 to 60000");
	if (word != NULL && (word = lineio_word(args, &bad)) != NULL &&
	    take_number(&cmd->size, word, ICMP_PROBELEN, ICMP_PROBEMAX) == -1)
		return ("ping: the octets are 64 to 9000");
	return (bad ? "a double quote is not closed" : NULL);
}

static const char *
trace(char **args, struct ctl_cmd *cmd)
{
	int bad = 0;
	char *word = lineio_word(args, &bad);

	if (word == NULL)
		return ("write: trace name");
	return (take_name(cmd, word) == -1 ? BADNAME : NULL);
}

static const char *
backup(char **args, struct ctl_cmd *cmd)
{
	int bad = 0;
	char *word = lineio_word(args, &bad);

	if (word == NULL || (strcmp(word, "on") != 0 &&
	    strcmp(word, "off") != 0))
		return ("write: backup on, or: backup off");
	cmd->on = strcmp(word, "on") == 0;
	return (NULL);
}

/* The words of iked's own (iked.control(5)). */
static const char *
level(char **args, struct ctl_cmd *cmd)
{
	int bad = 0;
	char *word = lineio_word(args, &bad);
	enum log_level l;

	if (bad || word == NULL || log_level_parse(word, &l) == -1)
		return ("write: log verbose | info | warning");
	cmd->level = (uint8_t)l;
	return (NULL);
}

static const struct {
	const char	*name;
	enum ctl_verb	 verb;
	const char	*(*words)(char **, struct ctl_cmd *);
} commands[] = {
	{ "show", CTL_SHOW, show },
	{ "events", CTL_EVENTS, no_words },
	{ "metrics", CTL_METRICS, no_words },
	{ "probe", CTL_PROBE, probe },
	{ "ping", CTL_PING, ping },
	{ "trace", CTL_TRACE, trace },
	{ "backup", CTL_BACKUP_SET, backup },
	{ "log", CTL_LOG, level },
	{ "version", CTL_VERSION, no_words },
};

const char *
ctl_parse(char *line, struct ctl_cmd *cmd)
{
	const char *error;
	int bad = 0;
	char *word;
	size_t i;

	memset(cmd, 0, sizeof(*cmd));
	if ((word = lineio_word(&line, &bad)) == NULL)
		return ("unknown command; netwatchd.control(5) lists them");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word, commands[i].name) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		return ("unknown command; netwatchd.control(5) lists them");
	cmd->verb = commands[i].verb;
	if ((error = commands[i].words(&line, cmd)) != NULL)
		return (error);
	if (lineio_word(&line, &bad) != NULL)
		return ("too many words for this command; a name with blanks "
		    "goes in double quotes");
	return (bad ? "a double quote is not closed" : NULL);
}
