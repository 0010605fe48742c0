# Nothing of a submission is named here but the folder that holds them all: the scorer looks for them
# itself, and what it cannot score it leaves out, with a word.
rule submissions:
    input:
        submitted_files,
        rounds=local(ROUNDS),
        crystals=CRYSTALS.values(),
    output:
        scores=directory("results/{scale}/submissions"),
    log:
        "results/{scale}/logs/submissions.log",
    benchmark:
        "results/{scale}/benchmarks/submissions.tsv"
    conda:
        "../../environment.yml"
    threads: JOB_THREADS
    params:
        home=HOME,
        crystals=crystals_options,
        rounds=options("--sealed", ROUNDS),
    shell:
        "sgbench submission score-all --home {params.home:q} --output {output.scores:q}"
        " --scale {wildcards.scale:q} {params.crystals:q} {params.rounds:q} > {log:q} 2>&1"


rule scale_table:
    input:
        scores=all_scores,
        submitted="results/{scale}/submissions",
        exact="results/{scale}/exact_ceilings.csv",
        verified=local(VERIFIED),
    output:
        csv="results/{scale}/leaderboard.csv",
        md="results/{scale}/leaderboard.md",
        pairs="results/{scale}/leaderboard.pairs.csv",
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
    params:
        verified=options("--verified", VERIFIED),
    shell:
        "sgbench leaderboard {input.scores:q} {input.submitted:q} --exact {input.exact:q}"
        " {params.verified:q} --output {output.csv:q} --by-class {output.by_class:q} > {log:q} 2>&1"


# What one model comes to by itself, to be held against its rows; no part of a run. The command that
# makes a row again asks for it.
rule row:
    input:
        scores_of_model,
    output:
        csv="results/{scale}/rows/{train_set}/{model}.csv",
        md="results/{scale}/rows/{train_set}/{model}.md",
        pairs="results/{scale}/rows/{train_set}/{model}.pairs.csv",
    log:
        "results/{scale}/logs/row/{train_set}/{model}.log",
    benchmark:
        "results/{scale}/benchmarks/row/{train_set}/{model}.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench leaderboard {input:q} --output {output.csv:q} > {log:q} 2>&1"


# Fails, and names the rows, where a model is better than the data allow: a leak or a wrong ceiling.
rule check:
    input:
        "results/{scale}/leaderboard.csv",
    output:
        "results/{scale}/check.txt",
    log:
        "results/{scale}/logs/check.log",
    benchmark:
        "results/{scale}/benchmarks/check.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench check {input:q} > {output:q} 2> {log:q}"


rule leaderboard:
    input:
        own=f"results/{SCALE}/leaderboard.csv",
        others=local(OTHER_TABLES),
        kept=local(OTHER_KEPT),
        exact=f"results/{SCALE}/exact_ceilings.csv",
    output:
        csv=report(
            f"{ALL_SCALES}.csv",
            caption="../report/leaderboard.rst",
            category="Leaderboard",
        ),
        md=f"{ALL_SCALES}.md",
        pairs=f"{ALL_SCALES}.pairs.csv",
    log:
        "results/logs/leaderboard.log",
    benchmark:
        "results/benchmarks/leaderboard.tsv"
    conda:
        "../../environment.yml"
    params:
        others=options("--table", OTHER_TABLES),
    shell:
        "sgbench leaderboard {input.kept:q} --table {input.own:q} {params.others:q}"
        " --exact {input.exact:q} --output {output.csv:q} > {log:q} 2>&1"


# How fine a mesh has to be (Fig. S1): the trainings on sets NAME@STEPxPATTERNS alone, so that
# `snakemake scaling` runs these and nothing else.
rule scaling_study:
    input:
        scaling_scores,
    output:
        csv=report(
            "results/{scale}/scaling.csv",
            caption="../report/scaling.rst",
            category="Leaderboard",
        ),
        svg=report(
            "results/{scale}/scaling.svg",
            caption="../report/scaling.rst",
            category="Figures",
        ),
    log:
        "results/{scale}/logs/scaling.log",
    benchmark:
        "results/{scale}/benchmarks/scaling.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench scaling {input:q} --output {output.csv:q} > {log:q} 2>&1"


rule confusions:
    input:
        all_scores,
    output:
        report(
            "results/{scale}/confusions.csv",
            caption="../report/confusions.rst",
            category="Leaderboard",
        ),
    log:
        "results/{scale}/logs/confusions.log",
    benchmark:
        "results/{scale}/benchmarks/confusions.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench confusions {input:q} --format csv --output {output:q} 2> {log:q}"


rule figures:
    input:
        all_scores,
        histories,
        table="results/{scale}/leaderboard.csv",
    output:
        report(
            directory("results/{scale}/figures/paper"),
            patterns=["{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
        ),
    log:
        "results/{scale}/logs/figures.log",
    benchmark:
        "results/{scale}/benchmarks/figures.tsv"
    conda:
        "../../environment.yml"
    params:
        folder=subpath(input.table, parent=True),
        model=SETTINGS["reference"],
    shell:
        "sgbench figures --scale-folder {params.folder:q} --model {params.model:q}"
        " --output {output:q} > {log:q} 2>&1"


rule report_page:
    input:
        all_scores,
        dataset_pages,
        table=f"results/{SCALE}/leaderboard.csv",
        figures=f"results/{SCALE}/figures/paper",
    output:
        report(
            "results/report/index.html",
            caption="../report/report_page.rst",
            category="Report",
        ),
    log:
        "results/logs/report_page.log",
    benchmark:
        "results/benchmarks/report_page.tsv"
    conda:
        "../../environment.yml"
    params:
        scale_folder=subpath(input.table, parent=True),
        folder=subpath(output[0], parent=True),
        conditions=options("--conditions", CONDITIONS),
    shell:
        "sgbench report --scale-folder {params.scale_folder:q} {params.conditions:q}"
        " --leaderboard ../site/index.html --output {params.folder:q} > {log:q} 2>&1"


rule site:
    input:
        all_scores,
        own=f"results/{SCALE}/leaderboard.csv",
        submitted=f"results/{SCALE}/submissions",
        table=f"{ALL_SCALES}.csv",
        pairs=f"{ALL_SCALES}.pairs.csv",
        others=local(OTHER_TABLES),
        # Of the repository, wherever results are kept.
        glossary=local("docs/glossary.md"),
    output:
        "results/site/index.html",
    log:
        "results/logs/site.log",
    benchmark:
        "results/benchmarks/site.tsv"
    conda:
        "../../environment.yml"
    params:
        scale_folder=subpath(input.own, parent=True),
        others=options("--scores", OTHER_RUNS),
        folder=subpath(output[0], parent=True),
    shell:
        "sgbench site --table {input.table:q} --scores {params.scale_folder:q} {params.others:q}"
        " --glossary {input.glossary:q} --report ../report/index.html --output {params.folder:q}"
        " > {log:q} 2>&1"
