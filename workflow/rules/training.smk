# Results that are kept with the project go before a training; without them the other rules apply.
ruleorder: take > train
ruleorder: take > evaluate


rule take:
    input:
        mark=kept_results,
    output:
        history="results/{scale}/models/{train_set}/{model}/seed{seed}/history.csv",
        scores=directory("results/{scale}/scores/{train_set}/{model}/seed{seed}"),
    log:
        "results/{scale}/logs/take/{train_set}/{model}/seed{seed}.log",
    benchmark:
        "results/{scale}/benchmarks/take/{train_set}/{model}/seed{seed}.tsv"
    conda:
        "../../environment.yml"
    shell:
        "sgbench take {input.mark:q} --history {output.history:q} --scores {output.scores:q}"
        " > {log:q} 2>&1"


# The checkpoint of an unfinished training is no output, so a killed workflow keeps it and the next
# one goes on from there. Nor is the state before the decay, from which a longer training does.
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
        # Trainings of several lengths have one beginning.
        base=lambda wildcards: base_name(wildcards.model),
        crystals=crystals_options,
    shell:
        "sgbench train {wildcards.model:q} {wildcards.train_set:q} --output {output.model:q}"
        " --checkpoint results/{wildcards.scale:q}/checkpoints/{wildcards.train_set:q}/"
        "{wildcards.model:q}/seed{wildcards.seed:q}.pt"
        " --before-decay results/{wildcards.scale:q}/checkpoints/{wildcards.train_set:q}/"
        "{params.base:q}/seed{wildcards.seed:q}.before-decay.pt"
        " --seed {wildcards.seed:q} {params.plan:q} {params.crystals:q} --scale {wildcards.scale:q}"
        " > {log:q} 2>&1"
