# The checkpoint of an unfinished training is no output, so a killed workflow keeps it and the next
# one goes on from there.
rule train:
    output:
        "results/{scale}/models/{family}/{model}/seed{seed}/model.pt",
    log:
        "results/{scale}/logs/train/{family}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/train/{family}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    params:
        plan=training_options,
    shell:
        "sgbench train {wildcards.model} ulbd-{wildcards.family} --output {output}"
        " --checkpoint results/{wildcards.scale}/checkpoints/{wildcards.family}/"
        "{wildcards.model}/seed{wildcards.seed}.pt"
        " --seed {wildcards.seed} {params.plan} --scale {wildcards.scale} 2>&1 | tee {log}"
