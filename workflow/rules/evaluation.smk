# What a model is scored on depends on what it was trained on, so each run has a folder. A model that
# needs no training has one for each family, `none-FAMILY`.
rule predict:
    input:
        model=model_file,
        crystals=CRYSTALS.values(),
    output:
        directory("results/{scale}/predictions/{train_set}/{model}/seed{seed}"),
    log:
        "results/{scale}/logs/predict/{train_set}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/predict/{train_set}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    threads: JOB_THREADS
    params:
        model=model_arguments,
        test_sets=test_set_options,
        crystals=crystals_options,
        per_spacegroup=lambda wildcards: run_of(wildcards).per_spacegroup,
    shell:
        "sgbench predict {params.model:q} --output {output:q} {params.test_sets:q}"
        " --per-spacegroup {params.per_spacegroup:q} {params.crystals:q}"
        " --scale {wildcards.scale:q} > {log:q} 2>&1"


rule evaluate:
    input:
        predictions="results/{scale}/predictions/{train_set}/{model}/seed{seed}",
        crystals=CRYSTALS.values(),
    output:
        directory("results/{scale}/scores/{train_set}/{model}/seed{seed}"),
    log:
        "results/{scale}/logs/evaluate/{train_set}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/evaluate/{train_set}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    params:
        crystals=crystals_options,
    shell:
        "sgbench evaluate {input.predictions:q}/*.parquet --output {output:q} {params.crystals:q}"
        " > {log:q} 2>&1"
