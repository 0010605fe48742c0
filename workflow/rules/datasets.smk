rule ceilings:
    output:
        report(
            "results/ceilings.csv",
            caption="../report/ceilings.rst",
            category="Theory",
        ),
    log:
        "results/logs/ceilings.log",
    benchmark:
        "results/benchmarks/ceilings.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench ceilings --format csv --output {output:q} 2> {log:q}"


rule exact_ceilings:
    output:
        report(
            "results/{scale}/exact_ceilings.csv",
            caption="../report/exact_ceilings.rst",
            category="Theory",
        ),
    log:
        "results/{scale}/logs/exact_ceilings.log",
    benchmark:
        "results/{scale}/benchmarks/exact_ceilings.tsv"
    conda:
        "../../environment.yml"
    params:
        names=exact_ceiling_names,
    shell:
        "sgbench ceilings --exact {params.names:q} --format csv --output {output:q} 2> {log:q}"


rule random_structures:
    output:
        "results/{scale}/datasets/{dataset}.structures.parquet",
    log:
        "results/{scale}/logs/random_structures/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/random_structures/{dataset}.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    params:
        which=generated_options,
        seed=SETTINGS["generated"]["seed"],
    shell:
        "sgbench dataset generate --output {output:q} {params.which:q} --seed {params.seed:q}"
        " --workers {threads:q} > {log:q} 2>&1"


rule crystals:
    input:
        structures_input,
    output:
        lines="results/{scale}/datasets/{dataset}.parquet",
        croissant="results/{scale}/datasets/{dataset}.croissant.json",
        excluded="results/{scale}/datasets/{dataset}.excluded.csv",
        card=report(
            "results/{scale}/datasets/{dataset}.md",
            caption="../report/dataset_card.rst",
            category="Datasets",
        ),
    log:
        "results/{scale}/logs/crystals/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/crystals/{dataset}.tsv"
    wildcard_constraints:
        dataset="|".join([*STRUCTURES, PORTRAYED]),
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    params:
        name=dataset_name,
        source=source_options,
        limit=crystals_limit,
    shell:
        "sgbench dataset build {params.name:q} --output {output.lines:q} --workers {threads:q}"
        " {params.source:q} {params.limit:q} > {log:q} 2>&1"


rule portrait:
    input:
        "results/{scale}/datasets/{dataset}.parquet",
    output:
        overview=report(
            "results/{scale}/figures/{dataset}/overview.svg",
            caption="../report/overview.rst",
            category="Datasets",
        ),
        cells=report(
            "results/{scale}/figures/{dataset}/cells.svg",
            caption="../report/cells.rst",
            category="Datasets",
        ),
        patterns=report(
            "results/{scale}/figures/{dataset}/patterns.svg",
            caption="../report/patterns.rst",
            category="Datasets",
        ),
        samples=report(
            "results/{scale}/figures/{dataset}/samples.svg",
            caption="../report/samples.rst",
            category="Datasets",
        ),
        counts="results/{scale}/figures/{dataset}/samples.csv",
    log:
        "results/{scale}/logs/portrait/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/portrait/{dataset}.tsv"
    conda:
        "../../environment.yml"
    params:
        folder=subpath(output.cells, parent=True),
    shell:
        "sgbench dataset portrait {input:q} --output {params.folder:q} > {log:q} 2>&1"


rule designed_lines:
    output:
        lines="results/{scale}/datasets/{dataset}.parquet",
        croissant="results/{scale}/datasets/{dataset}.croissant.json",
        card=report(
            "results/{scale}/datasets/{dataset}.md",
            caption="../report/dataset_card.rst",
            category="Datasets",
        ),
    log:
        "results/{scale}/logs/designed_lines/{dataset}.log",
    benchmark:
        "results/{scale}/benchmarks/designed_lines/{dataset}.tsv"
    wildcard_constraints:
        dataset="|".join(DESIGNED),
    conda:
        "../../environment.yml"
    params:
        per_spacegroup=SETTINGS["test_patterns_per_spacegroup"],
    shell:
        "sgbench dataset build {wildcards.dataset:q} --output {output.lines:q}"
        " --per-spacegroup {params.per_spacegroup:q} > {log:q} 2>&1"
