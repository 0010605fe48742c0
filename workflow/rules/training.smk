# The checkpoint of an unfinished training is no output, so a killed workflow keeps it and the next
# one goes on from there.
rule train:
    input:
        crystals=training_crystals,
    output:
        model="results/{scale}/models/{train_set}/{model}/seed{seed}/model.pt",
        history="results/{scale}/models/{train_set}/{model}/seed{seed}/history.csv",
    log:
        "results/{scale}/logs/train/{train_set}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/train/{train_set}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    threads: JOB_THREADS
    resources:
        runtime=training_minutes,
    params:
        plan=training_options,
        crystals=crystals_options,
    shell:
        "sgbench train {wildcards.model} {wildcards.train_set} --output {output.model}"
        " --checkpoint results/{wildcards.scale}/checkpoints/{wildcards.train_set}/"
        "{wildcards.model}/seed{wildcards.seed}.pt"
        " --seed {wildcards.seed} {params.plan} {params.crystals} --scale {wildcards.scale}"
        " 2>&1 | tee {log}"
