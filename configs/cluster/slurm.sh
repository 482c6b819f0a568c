#!/usr/bin/env bash
# A search on a Slurm cluster: one task gives out the work, the others train. The folder of the run must lie where every
# node sees it, and so must this clone with its environment.
#
#   sbatch configs/cluster/slurm.sh configs/digits.yaml runs/digits-slurm
#
# A task that is killed costs the block it had in hand; a longer array, or a second one, joins the same search.
#SBATCH --job-name=lrtune
#SBATCH --array=0-16
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=lrtune-%A-%a.log
set -euo pipefail

experiment=$1
run=$2
mkdir -p "$run"

# `lrtune` handles SIGTERM: a worker gives its block back, the search goes on where it was when the task is requeued.
if [ "${SLURM_ARRAY_TASK_ID:-0}" -eq 0 ]; then
  exec lrtune search "$experiment" --output "$run" --engine folder --workers "$((${SLURM_ARRAY_TASK_COUNT:-2} - 1))"
fi
exec lrtune worker "$run" --patience 30m
