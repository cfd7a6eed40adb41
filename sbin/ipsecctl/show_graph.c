/* SPDX-License-Identifier: ISC */
/*
 * `show -g': who is connected with whom.  As text: our gateways, under each the tunnels.
 * As SVG: our nets and gateways at the left, the peers and theirs at the right, a
 * line a tunnel between them, in the colour of its state.
 */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "show.h"
#include "show_graph.h"

/* How a state is drawn. */
struct look {
	const char	*state, *ascii, *utf8, *colour, *dash;
};
static const struct look looks[] = {
	{ "up", "======", "══════", "#1a7f37", "" },
	{ "connecting", "-.-.-.", "─·─·─·", "#bf8700", "6 3" },
	{ "ondemand", "- - - ", "╌╌╌╌╌╌", "#6e7781", "4 4" },
	{ "passive", "- - - ", "╌╌╌╌╌╌", "#6e7781", "4 4" },
	{ "backoff", "--//--", "──╳╳──", "#cf222e", "2 4" },
	{ "down", "--//--", "──╳╳──", "#cf222e", "2 4" },
};

static const struct look *
look_of(const json_t *t)
{
	const char *state = field_str(t, "state");
	size_t i;

	for (i = 0; i < sizeof(looks) / sizeof(looks[0]) - 1; i++)
		if (strcmp(state, looks[i].state) == 0)
			break;
	return (&looks[i]);
}

/* An array of the distinct values of a key, in the order they come. */
static json_t *
distinct(const json_t *tunnels, const char *key)
{
	json_t *list = json_object();
	const char *v;
	size_t i;

	if (list == NULL)
		err(1, NULL);
	for (i = 0; i < json_array_size(tunnels); i++) {
		v = field_str(json_array_get(tunnels, i), key);
		if (json_object_get(list, v) == NULL &&
		    json_object_set_new(list, v,
		    json_integer((json_int_t)json_object_size(list))) == -1)
			err(1, NULL);
	}
	return (list);
}

/* ---- text ---- */

struct widths {
	size_t	name, from, remote, to;
};

static void
wider(size_t *w, const char *s)
{
	size_t len = strlen(s);

	if (len > *w)
		*w = len;
}

static char *
clean_list(const json_t *t, const char *key, char buf[CELL_MAX])
{
	char raw[CELL_MAX];

	return (print_clean(buf, CELL_MAX, field_list(t, key, raw, sizeof(raw))));
}

static void
measure(const json_t *tunnels, struct widths *w)
{
	char buf[CELL_MAX];
	const json_t *t;
	size_t i;

	for (i = 0; i < json_array_size(tunnels); i++) {
		t = json_array_get(tunnels, i);
		wider(&w->name, print_clean(buf, sizeof(buf), field_str(t, "tunnel")));
		wider(&w->from, clean_list(t, "from", buf));
		wider(&w->remote, print_clean(buf, sizeof(buf),
		    field_str(t, "remote")));
		wider(&w->to, clean_list(t, "to", buf));
	}
}

static void
branch(FILE *f, const json_t *t, const struct widths *w, int last, int utf8)
{
	char name[CELL_MAX], from[CELL_MAX], to[CELL_MAX], remote[CELL_MAX];
	char words[CELL_MAX], raw[CELL_MAX];
	const struct look *l = look_of(t);
	const char *line = utf8 ? l->utf8 : l->ascii;

	show_tunnel_words(t, raw, sizeof(raw));
	(void)fprintf(f, "%s %-*s  %*s %s %-*s %s %-*s  %s\n",
	    utf8 ? last ? "└──" : "├──" : last ? "`--" : "|--",
	    (int)w->name, print_clean(name, sizeof(name), field_str(t, "tunnel")),
	    (int)w->from, clean_list(t, "from", from), line,
	    (int)w->remote, print_clean(remote, sizeof(remote),
	    field_str(t, "remote")), line, (int)w->to, clean_list(t, "to", to),
	    print_clean(words, sizeof(words), raw));
}

void
graph_text(FILE *f, const json_t *tunnels, int utf8)
{
	struct widths w = { 0, 0, 0, 0 };
	json_t *locals = distinct(tunnels, "local"), *v;
	const json_t *t, *prev;
	char clean[CELL_MAX];
	const char *local;
	size_t i;

	measure(tunnels, &w);
	json_object_foreach(locals, local, v) {
		(void)fprintf(f, "%s\n", print_clean(clean, sizeof(clean), local));
		prev = NULL;
		for (i = 0; i < json_array_size(tunnels); i++) {
			t = json_array_get(tunnels, i);
			if (strcmp(field_str(t, "local"), local) != 0)
				continue;
			if (prev != NULL)
				branch(f, prev, &w, 0, utf8);
			prev = t;
		}
		if (prev != NULL)
			branch(f, prev, &w, 1, utf8);
	}
	json_decref(locals);
}

/* ---- SVG ---- */

#define ROW		64		/* a tunnel's height */
#define MARGIN		16
#define BOX_W		230
#define BOX_H		44
#define GAP		360		/* between the boxes of both sides */
#define WIDTH		(2 * MARGIN + 2 * BOX_W + GAP)

static void
xml(FILE *f, const char *s)
{
	char clean[CELL_MAX];
	const char *p;

	for (p = print_clean(clean, sizeof(clean), s); *p != '\0'; p++)
		switch (*p) {
		case '<':
			(void)fputs("&lt;", f);
			break;
		case '>':
			(void)fputs("&gt;", f);
			break;
		case '&':
			(void)fputs("&amp;", f);
			break;
		case '"':
			(void)fputs("&quot;", f);
			break;
		default:
			(void)fputc(*p, f);
		}
}

static void
text_at(FILE *f, unsigned x, unsigned y, const char *attr, const char *s)
{
	(void)fprintf(f, "<text x=\"%u\" y=\"%u\"%s>", x, y, attr);
	xml(f, s);
	(void)fputs("</text>\n", f);
}

static void
box(FILE *f, unsigned x, unsigned y, const char *title, const char *nets)
{
	(void)fprintf(f, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
	    "rx=\"6\" fill=\"#f6f8fa\" stroke=\"#57606a\"/>\n", x, y, BOX_W, BOX_H);
	text_at(f, x + 10, y + 18, " font-weight=\"bold\"", title);
	text_at(f, x + 10, y + 35, "", nets);
}

/* Where the box of our gateway stands: in the middle of its tunnels. */
static unsigned
middle(const json_t *tunnels, const char *local)
{
	unsigned first = 0, last = 0;
	size_t i;
	int any = 0;

	for (i = 0; i < json_array_size(tunnels); i++) {
		if (strcmp(field_str(json_array_get(tunnels, i), "local"), local) != 0)
			continue;
		if (!any)
			first = (unsigned)i;
		last = (unsigned)i;
		any = 1;
	}
	return (MARGIN + (first + last) * ROW / 2);
}

/* What a line says fits above it: the name, and the state without its reason. */
static void
link_line(FILE *f, const json_t *t, unsigned y1, unsigned y2)
{
	const struct look *l = look_of(t);
	char words[CELL_MAX], label[2 * CELL_MAX], *colon;
	unsigned x1 = MARGIN + BOX_W, x2 = x1 + GAP;

	(void)fprintf(f, "<path d=\"M%u %u C%u %u %u %u %u %u\" fill=\"none\" "
	    "stroke=\"%s\" stroke-width=\"%d\"%s%s%s>", x1, y1, x1 + GAP / 3, y1,
	    x1 + GAP / 6, y2, x1 + GAP / 2, y2, l->colour,
	    strcmp(l->state, "up") == 0 ? 3 : 2, l->dash[0] != '\0' ?
	    " stroke-dasharray=\"" : "", l->dash, l->dash[0] != '\0' ? "\"" : "");
	show_tunnel_words(t, words, sizeof(words));
	(void)fputs("<title>", f);
	xml(f, words);
	(void)fprintf(f, "</title></path>\n<path d=\"M%u %u H%u\" stroke=\"%s\" "
	    "stroke-width=\"%d\"%s%s%s/>\n", x1 + GAP / 2, y2, x2, l->colour,
	    strcmp(l->state, "up") == 0 ? 3 : 2, l->dash[0] != '\0' ?
	    " stroke-dasharray=\"" : "", l->dash, l->dash[0] != '\0' ? "\"" : "");
	if ((colon = strpbrk(words, ":(,")) != NULL)
		*colon = '\0';
	(void)snprintf(label, sizeof(label), "%s: %s", field_str(t, "tunnel"), words);
	text_at(f, x2 - 8, y2 - 7, " text-anchor=\"end\"", label);
}

void
graph_svg(FILE *f, const json_t *tunnels)
{
	json_t *locals = distinct(tunnels, "local"), *v;
	unsigned h = 2 * MARGIN + (unsigned)json_array_size(tunnels) * ROW, y, n;
	char nets[CELL_MAX];
	const char *local;
	const json_t *t;
	size_t i;

	(void)fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
	    "height=\"%u\" viewBox=\"0 0 %u %u\" font-family=\"sans-serif\" "
	    "font-size=\"13\">\n<title>Tunnels</title>\n"
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
	    WIDTH, h, WIDTH, h);
	for (i = 0; i < json_array_size(tunnels); i++) {
		t = json_array_get(tunnels, i);
		y = MARGIN + (unsigned)i * ROW;
		link_line(f, t, middle(tunnels, field_str(t, "local")) + BOX_H / 2,
		    y + BOX_H / 2);
		box(f, MARGIN + BOX_W + GAP, y, field_str(t, "remote"),
		    field_list(t, "to", nets, sizeof(nets)));
	}
	json_object_foreach(locals, local, v) {
		for (i = n = 0, t = NULL; i < json_array_size(tunnels); i++)
			if (strcmp(field_str(json_array_get(tunnels, i), "local"),
			    local) == 0) {
				t = json_array_get(tunnels, i);
				n++;
			}
		if (n == 1)
			(void)field_list(t, "from", nets, sizeof(nets));
		else
			(void)snprintf(nets, sizeof(nets), "%u tunnels", n);
		box(f, MARGIN, middle(tunnels, local), local, nets);
	}
	(void)fputs("</svg>\n", f);
	json_decref(locals);
}
