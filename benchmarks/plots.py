"""Pictures of what was measured, drawn by gnuplot."""
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent / "plots"


def draw(name, commands, data):
    """Runs gnuplot with `data`, lines of a table, as $data; writes plots/NAME.svg."""
    FOLDER.mkdir(exist_ok=True)
    script = "\n".join(["$data << END", *data, "END",
                        "set terminal svg size 900,500 font 'sans,11' background '#ffffff'",
                        f"set output '{FOLDER / name}.svg'", *commands])
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def ratios(name, title, rows):
    """One bar for each (label, ratio), on a logarithmic scale around 1."""
    data = [f"{i} {ratio} {quoted(label)}" for i, (label, ratio) in enumerate(rows)]
    draw(name, [f"set title {quoted(title)}", "set logscale x", "set grid x", "unset key",
                "set lmargin 50", "set style fill solid", f"set yrange [-0.6:{len(rows) - 0.4}] reverse",
                "set arrow from 1, graph 0 to 1, graph 1 nohead",
                "plot $data using 2:1:(1):2:($1-0.35):($1+0.35):ytic(3) "
                "with boxxyerror linecolor '#2e7d32'"],
         data)


def groups(name, title, axis, columns, rows):
    """Bars in groups: each row is (label, one number a column), on a logarithmic scale."""
    data = [f"{quoted(label)} {' '.join(str(x) for x in numbers)}" for label, numbers in rows]
    series = ", ".join(f"$data using {i + 2}:xtic(1) title {quoted(column)}"
                       for i, column in enumerate(columns))
    draw(name, [f"set title {quoted(title)}", f"set ylabel {quoted(axis)}", "set logscale y",
                "set grid y", "set style data histograms", "set style fill solid",
                "set xtics rotate by -20", "set key top left", "set bmargin 5", "set rmargin 8",
                f"plot {series}"], data)
