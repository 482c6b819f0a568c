#!/bin/sh
# A nightly search by cron, on a machine of your own. Put in your own experiment and limits, and let cron start it:
#
#   17 2 * * * /path/to/cron.sh /path/to/project
#
# cron mails what it prints: the page of the night, and the sentence of a gate that failed. The folder keeps runs,
# champions and reports. docs/ci.md says what the exit codes mean.
set -eu
cd "${1:?name the folder of the project}"
mkdir -p runs reports

status=0
lrtune search configs/digits.yaml --champions champions --warm-start runs --timeout 45m \
  --fail-under 0.95 --fail-if 'drift < -0.02' --summary reports/summary.md || status=$?

if [ -f champions/history.jsonl ]; then
  lrtune history champions --output reports/history.svg
fi
if [ -d champions ]; then
  lrtune prune runs --keep 30 --champions champions
fi
exit "$status"
