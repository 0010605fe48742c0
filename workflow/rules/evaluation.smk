# What a model is scored on depends on what it was trained on, so each run has a folder.
rule predict:
    input:
        model="results/{scale}/models/{train_set}/{model}/seed{seed}/model.pt",
        crystals=CRYSTALS,
    output:
        directory("results/{scale}/predictions/{train_set}/{model}/seed{seed}"),
    log:
        "results/{scale}/logs/predict/{train_set}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/predict/{train_set}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        train_set="(?!none-)[^/]+",
    conda:
        "../../environment.yml"
    threads: JOB_THREADS
    params:
        test_sets=test_set_options,
        crystals=crystals_option,
        per_spacegroup=SETTINGS["test_patterns_per_spacegroup"],
    shell:
        "sgbench predict {input.model} --output {output} {params.test_sets}"
        " --per-spacegroup {params.per_spacegroup} {params.crystals} 2> {log}"


rule predict_control:
    input:
        crystals=CRYSTALS,
    output:
        directory("results/{scale}/predictions/none-{family}/{model}/seed0"),
    log:
        "results/{scale}/logs/predict/none-{family}/{model}/seed0.log",
    benchmark:
        "results/{scale}/benchmarks/predict/none-{family}/{model}/seed0.tsv"
    wildcard_constraints:
        model="control-[a-z]+|decoder-pawley",
    conda:
        "../../environment.yml"
    params:
        test_sets=untrained_test_sets,
        crystals=crystals_option,
        per_spacegroup=untrained_test_patterns,
    shell:
        "sgbench predict {wildcards.model} --family {wildcards.family}"
        " --output {output} {params.test_sets}"
        " --per-spacegroup {params.per_spacegroup} {params.crystals}"
        " --scale {wildcards.scale} 2> {log}"


rule evaluate:
    input:
        predictions="results/{scale}/predictions/{train_set}/{model}/seed{seed}",
        crystals=CRYSTALS,
    output:
        directory("results/{scale}/scores/{train_set}/{model}/seed{seed}"),
    log:
        "results/{scale}/logs/evaluate/{train_set}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/evaluate/{train_set}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    params:
        crystals=crystals_option,
    shell:
        "sgbench evaluate {input.predictions}/*.parquet --output {output} {params.crystals}"
        " 2> {log}"
