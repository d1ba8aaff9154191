#!/bin/sh
# Is a household or person "terdaftar"? Usage: dtks.sh BASE_URL TOKEN rumah-tangga|art BODY
# BODY as JSON: {"id_dtks": "..."}, {"id_art": "..."} or {"nik": "..."}; prints the answer.
# Exit 0: terdaftar. 1: tidak terdaftar (alasan.kode says why). 2: no answer; try again or stop.
set -eu
answer=$(printf '%s' "$4" | curl --silent --show-error --max-time 30 --data @- \
  --header "Authorization: Bearer $2" --header "Content-Type: application/json" \
  --write-out '\n%{http_code}' "$1/dtks/v1/$3/cari") || exit 2
status=$(printf '%s\n' "$answer" | tail -n 1)
body=$(printf '%s\n' "$answer" | sed '$d')
printf '%s\n' "$body"
[ "$status" = 200 ] || exit 2
case $body in
  '{"status":"terdaftar",'*) exit 0 ;;
  '{"status":"tidak terdaftar",'*) exit 1 ;;
esac
exit 2
