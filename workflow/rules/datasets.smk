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
        "sgbench ceilings --format csv --output {output} 2> {log}"


rule crystals:
    output:
        "results/{scale}/datasets/cddd.parquet",
    log:
        "results/{scale}/logs/crystals.log",
    benchmark:
        "results/{scale}/benchmarks/crystals.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    params:
        limit=crystals_limit,
    shell:
        "sgbench dataset build cddd --output {output} --workers {threads} {params.limit}"
        " 2>&1 | tee {log}"
