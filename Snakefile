# So that `snakemake --cores all` works from the project's root.
include: "workflow/Snakefile"


# An included file cannot set the default target.
rule reproduce:
    default_target: True
    input:
        rules.all.input,
