rule scale_table:
    input:
        all_scores,
    output:
        csv="results/{scale}/leaderboard.csv",
        md="results/{scale}/leaderboard.md",
    log:
        "results/{scale}/logs/leaderboard.log",
    benchmark:
        "results/{scale}/benchmarks/leaderboard.tsv"
    conda:
        "../../environment.yml"
    resources:
        mlflow=1,
    params:
        store=SETTINGS["mlflow_store"],
    shell:
        "sgbench leaderboard {input} --output {output.csv} --store {params.store} 2> {log}"


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
