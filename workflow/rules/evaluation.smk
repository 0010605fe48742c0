rule predict:
    input:
        model="results/{scale}/models/{family}/{model}/seed{seed}/model.pt",
        crystals=CRYSTALS,
    output:
        expand(
            "results/{{scale}}/predictions/{{family}}/{{model}}/seed{{seed}}/{test_set}.parquet",
            test_set=SETTINGS["test_sets"],
        ),
    log:
        "results/{scale}/logs/predict/{family}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/predict/{family}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model="(?!control-)[^/]+",
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    params:
        folder=subpath(output[0], parent=True),
        test_sets=test_set_options,
        crystals=crystals_option,
        per_spacegroup=SETTINGS["test_patterns_per_spacegroup"],
    shell:
        "sgbench predict {input.model} --output {params.folder} {params.test_sets}"
        " --per-spacegroup {params.per_spacegroup} {params.crystals} 2> {log}"


rule predict_control:
    input:
        crystals=CRYSTALS,
    output:
        expand(
            "results/{{scale}}/predictions/{{family}}/{{model}}/seed0/{test_set}{ending}",
            test_set=SETTINGS["test_sets"],
            ending=[".parquet", ".extinction.parquet"],
        ),
    log:
        "results/{scale}/logs/predict/{family}/{model}/seed0.log",
    benchmark:
        "results/{scale}/benchmarks/predict/{family}/{model}/seed0.tsv"
    wildcard_constraints:
        model="control-[a-z]+",
    conda:
        "../../environment.yml"
    params:
        folder=subpath(output[0], parent=True),
        test_sets=test_set_options,
        crystals=crystals_option,
        per_spacegroup=SETTINGS["test_patterns_per_spacegroup"],
    shell:
        "sgbench predict {wildcards.model} --family {wildcards.family}"
        " --output {params.folder} {params.test_sets}"
        " --per-spacegroup {params.per_spacegroup} {params.crystals}"
        " --scale {wildcards.scale} 2> {log}"


rule evaluate:
    input:
        predictions=predictions_of,
        crystals=CRYSTALS,
    output:
        expand(
            "results/{{scale}}/scores/{{family}}/{{model}}/seed{{seed}}/{test_set}.{scheme}.json",
            test_set=SETTINGS["test_sets"],
            scheme=CLASS_SCHEMES,
        ),
    log:
        "results/{scale}/logs/evaluate/{family}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/evaluate/{family}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    params:
        folder=subpath(output[0], parent=True),
        crystals=crystals_option,
    shell:
        "sgbench evaluate {input.predictions} --output {params.folder} {params.crystals}"
        " 2> {log}"
