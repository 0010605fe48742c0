rule scale_table:
    input:
        all_scores,
    output:
        csv="results/{scale}/leaderboard.csv",
        md="results/{scale}/leaderboard.md",
        by_class=report(
            "results/{scale}/by_class.csv",
            caption="../report/by_class.rst",
            category="Leaderboard",
        ),
    log:
        "results/{scale}/logs/leaderboard.log",
    benchmark:
        "results/{scale}/benchmarks/leaderboard.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench leaderboard {input} --output {output.csv} --by-class {output.by_class}"
        " 2> {log}"


rule leaderboard:
    input:
        f"results/{SCALE}/leaderboard.csv",
    output:
        csv=report(
            "results/leaderboard.csv",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
        ),
        md="results/leaderboard.md",
    log:
        "results/logs/leaderboard.log",
    benchmark:
        "results/benchmarks/leaderboard.tsv"
    conda:
        "../../environment.yml"
    params:
        others=other_tables,
    shell:
        "sgbench leaderboard --table {input} {params.others} --output {output.csv} 2> {log}"
