#include "roc_svg.h"

#include <math.h>

/* The plot's rectangle inside the picture, and its lowest false-accept rate. */
#define WIDTH 720
#define HEIGHT 520
#define LEFT 76
#define RIGHT (WIDTH - 24)
#define TOP 64
#define BOTTOM (HEIGHT - 64)
#define DECADES_MAX 6

/* One plot under way; what fails once is not tried again. */
struct plot {
	struct buffer *out;
	int decades; /* of false-accept rates below 1 */
	int status;
};

#define WRITE(plot, ...)                                                                                               \
	do {                                                                                                           \
		if ((plot)->status == 0)                                                                               \
			(plot)->status = buffer_printf((plot)->out, __VA_ARGS__);                                      \
	} while (0)

static const char head[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n"
    "<style>\n"
    "text { font: 14px sans-serif; fill: #1c2128 }\n"
    ".title { font-size: 17px; font-weight: 600 }\n"
    ".paper { fill: #fff }\n"
    ".grid { stroke: #d5dae1; stroke-width: 1 }\n"
    ".axis { stroke: #1c2128; stroke-width: 1.2; fill: none }\n"
    ".curve { stroke: #1769c2; stroke-width: 2.4; fill: none; stroke-linejoin: round }\n"
    ".chance { stroke: #6b7480; stroke-width: 1; stroke-dasharray: 4 5; fill: none }\n"
    ".point { fill: #b5380d }\n"
    ".box { fill: #fff; stroke: #d5dae1 }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #e6e9ed } .paper { fill: #14171b } .grid { stroke: #363c45 } .axis { stroke: #e6e9ed }\n"
    ".curve { stroke: #6cb2ff } .chance { stroke: #98a1ad } .point { fill: #ff9a6b }\n"
    ".box { fill: #14171b; stroke: #363c45 } }\n"
    "</style>\n"
    "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n";

/* False-accept rates below the lowest decade, zero among them, stand at the left edge. */
static double at_x(const struct plot *plot, double false_accept)
{
	double decades = false_accept > 0 ? log10(false_accept) : -DECADES_MAX;

	return RIGHT + fmax(decades, -plot->decades) * (RIGHT - LEFT) / plot->decades;
}

static double at_y(double true_accept)
{
	return BOTTOM - true_accept * (BOTTOM - TOP);
}

static void write_title(struct plot *plot, const char *title)
{
	WRITE(plot, "<text class=\"title\" x=\"%d\" y=\"32\">", LEFT);
	for (; *title; title++) {
		if (*title == '<' || *title == '>' || *title == '&' || (unsigned char)*title < ' ')
			WRITE(plot, "&#%d;", (unsigned char)*title < ' ' ? ' ' : *title);
		else
			WRITE(plot, "%c", *title);
	}
	WRITE(plot, "</text>\n");
}

static void write_axes(struct plot *plot)
{
	for (int d = -plot->decades; d <= 0; d++) {
		double x = at_x(plot, pow(10, d));
		WRITE(plot, "<path class=\"grid\" d=\"M%.1f %d V%d\"/>", x, TOP, BOTTOM);
		WRITE(plot, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", x, BOTTOM + 22, pow(10, d));
	}
	for (int tenth = 0; tenth <= 10; tenth += 2) {
		double y = at_y(tenth / 10.0);
		WRITE(plot, "<path class=\"grid\" d=\"M%d %.1f H%d\"/>", LEFT, y, RIGHT);
		WRITE(plot, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n", LEFT - 8, y + 5,
		      tenth / 10.0);
	}
	WRITE(plot, "<path class=\"axis\" d=\"M%d %d V%d H%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
	WRITE(plot, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">false-accept rate</text>\n", (LEFT + RIGHT) / 2,
	      HEIGHT - 16);
	WRITE(plot, "<text transform=\"translate(24 %d) rotate(-90)\" text-anchor=\"middle\">true-accept rate</text>\n",
	      (TOP + BOTTOM) / 2);
}

/* A stair: the rates change at the similarities that occur, and nowhere between. */
static void write_curve(struct plot *plot, const struct roc_point *points, int count)
{
	WRITE(plot, "<path class=\"curve\" d=\"M%d %d", LEFT, BOTTOM);
	for (int i = 0; i < count; i++)
		WRITE(plot, " H%.1f V%.1f", at_x(plot, points[i].false_accept), at_y(points[i].true_accept));
	WRITE(plot, " H%d\"/>\n<path class=\"chance\" d=\"M", RIGHT);
	for (int i = 0; i <= 60; i++) {
		double rate = pow(10, plot->decades * (i / 60.0 - 1));
		WRITE(plot, " %.1f %.1f", at_x(plot, rate), at_y(rate));
	}
	WRITE(plot, "\"/>\n");
}

static void write_legend(struct plot *plot, const struct roc_summary *summary)
{
	/* Where neither a useful curve nor chance passes. */
	int x = LEFT + 60;
	int y = BOTTOM - 200;

	WRITE(plot, "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"340\" height=\"124\" rx=\"6\"/>\n", x, y);
	WRITE(plot, "<path class=\"curve\" d=\"M%d %d h26\"/>", x + 12, y + 22);
	WRITE(plot, "<text x=\"%d\" y=\"%d\">%zu pairs, %zu of one person, %zu failed</text>\n", x + 48, y + 27,
	      summary->pairs, summary->same, summary->failed);
	WRITE(plot, "<text x=\"%d\" y=\"%d\">accuracy %.2f %% from %.4f on</text>\n", x + 48, y + 50,
	      100 * summary->accuracy, summary->threshold);
	for (int i = 0; i < ROC_FARS; i++) {
		const struct roc_point *point = &summary->at[i];
		int line = y + 73 + 22 * i;

		WRITE(plot, "<circle class=\"point\" cx=\"%d\" cy=\"%d\" r=\"4.5\"/>", x + 25, line - 5);
		WRITE(plot, "<text x=\"%d\" y=\"%d\">%.1f %% at false-accept %g</text>\n", x + 48, line,
		      100 * point->true_accept, roc_fars[i]);
		WRITE(plot, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n", at_x(plot, roc_fars[i]),
		      at_y(point->true_accept));
	}
	WRITE(plot, "<path class=\"chance\" d=\"M%d %d h26\"/><text x=\"%d\" y=\"%d\">chance</text>\n", x + 12, y + 112,
	      x + 48, y + 117);
}

int roc_svg_write(struct buffer *out, const char *title, const struct roc_summary *summary,
		  const struct roc_point *points, int count)
{
	size_t different = summary->pairs - summary->same;
	struct plot plot = {.out = out};

	/* As far down as the pairs can tell rates apart, and to the lowest rate of the summary. */
	plot.decades = (int)fmax(3, fmin(DECADES_MAX, ceil(log10((double)(different > 0 ? different : 1)))));
	WRITE(&plot, head, WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
	write_title(&plot, title);
	write_axes(&plot);
	write_curve(&plot, points, count);
	write_legend(&plot, summary);
	WRITE(&plot, "</svg>\n");
	return plot.status;
}
