#!/usr/bin/env bash
# Times lbcheck on files of 10,000, 100,000 and 1,000,000 lines of each dialect: best of five runs, peak memory, and the
# ratio to the file a tenth of the size. Time that grows with the input stays near 10; quadratic time would be 100.
# The program is built unless LBCHECK names one. Sizes may be given: bench/run.sh 10000 20000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sizes=("$@")
[[ $# -gt 0 ]] || sizes=(10000 100000 1000000)
if [[ -z ${LBCHECK:-} ]]; then
  cargo build --release --locked --package lbcheck-cli
  LBCHECK=${CARGO_TARGET_DIR:-target}/release/lbcheck
fi

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

measure() { # DIALECT COMMAND FILE...
  local label="$1 $2" seconds memory ratio=- size
  size=$(wc -l <"${*: -1}")
  read -r seconds memory < <(bench/best-of 5 "$LBCHECK" "${@:2}")
  [[ -z $previous ]] || ratio=$(awk -v a="$seconds" -v b="$previous" 'BEGIN { printf "%.1f", a / b }')
  awk -v label="$label" -v lines="$size" -v s="$seconds" -v m="$memory" -v ratio="$ratio" 'BEGIN {
    printf "%-14s %9d lines %9.1f ms %7.0f MiB %11.0f lines/s   ratio %s\n", label, lines, s * 1000, m, lines / s, ratio }'
  previous=$seconds
}

for dialect in haproxy:cfg nginx:conf envoy:yaml; do
  name=${dialect%:*} ending=${dialect#*:}
  for size in "${sizes[@]}"; do
    bench/generate.py "$name" "$size" --lines >"$files/$size.$ending"
    bench/generate.py "$name" "$size" --lines --changed >"$files/$size-changed.$ending"
  done
  previous=
  for size in "${sizes[@]}"; do
    measure "$name" check "$files/$size.$ending"
  done
  previous=
  for size in "${sizes[@]}"; do
    measure "$name" diff "$files/$size.$ending" "$files/$size-changed.$ending"
  done
  rm -f "$files"/*
done
