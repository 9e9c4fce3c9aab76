#!/bin/bash
# Boots the machine of a workspace: proves which instance this is, fetches the agent's environment, starts its container.
#
# The fleet puts its variables below the first line (functions/fleet/src/machines/user_data.rs), never a secret. It runs
# as root at every boot, with what a stock Amazon Linux 2023 has: curl, and cloud-init's python3.
#
# Secrets are in files of a tmpfs that only root may read, or in curl's configuration on its standard input: never in
# arguments, never in the log.
set -Eeuo pipefail
umask 077

root=${BOOT_ROOT:-} # tests live in a folder of their own
run=$root/run/agent
log=$run/boot.log
answer=$run/answer.json
container=agent

say() { echo "boot: $*" | tee -a "$log" >&2; }

# -------------------------------------------------- the instance's identity
imds() { # path [method header]
  printf 'header = "X-aws-ec2-metadata-token%s"\n' "${3:-: $imds_token}" |
    curl --silent --fail --noproxy '*' --max-time 5 --config - --request "${2:-GET}" "http://169.254.169.254/latest/$1"
}

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Not `openssl`: it takes keys as arguments, which everybody on the machine can list.
signature() { # secret date region service text
  printf '%s\0' "$@" | python3 -c '
import hmac, sys
secret, *parts = sys.stdin.buffer.read().split(b"\0")[:5]
key = b"AWS4" + secret
for part in (*parts[:3], b"aws4_request", parts[3]):
    key = hmac.digest(key, part, "sha256")
print(key.hex())'
}

digest() { sha256sum | cut -d ' ' -f 1; }

# The headers of a signed GetCallerIdentity, which the platform sends in our stead: good for this stack only, and for
# minutes. docs/bootstrap.md has the form.
proof() { # stack region time access_key secret session_token
  local host=sts.$2.amazonaws.com scope=${3%%T*}/$2/sts/aws4_request names request text
  case $2 in cn-*) host+=.cn ;; esac
  names='content-type;host;x-amz-date;x-amz-security-token;x-molecule-stack'
  request=$(printf '%s\n' POST / '' 'content-type:application/x-www-form-urlencoded; charset=utf-8' "host:$host" \
    "x-amz-date:$3" "x-amz-security-token:$6" "x-molecule-stack:$1" '' "$names" \
    "$(printf 'Action=GetCallerIdentity&Version=2011-06-15' | digest)")
  text=$(printf '%s\n' AWS4-HMAC-SHA256 "$3" "$scope" "$(printf %s "$request" | digest)")
  printf '{"headers":{"X-Amz-Date":"%s","X-Amz-Security-Token":"%s","X-Molecule-Stack":"%s","Authorization":"%s"}}' \
    "$3" "$6" "$1" "AWS4-HMAC-SHA256 Credential=$4/$scope, SignedHeaders=$names, \
Signature=$(signature "$5" "${3%%T*}" "$2" sts "$text")"
}

identity() {
  local role credentials region
  imds_token=$(imds api/token PUT '-ttl-seconds: 300') || return
  address=$(imds meta-data/public-ipv4 || imds meta-data/local-ipv4) || return
  region=$(imds meta-data/placement/region) || return
  role=$(imds meta-data/iam/security-credentials/) || return
  credentials=$(imds "meta-data/iam/security-credentials/$role") || return
  proof "$STACK" "$region" "$(date -u +%Y%m%dT%H%M%SZ)" "$(field AccessKeyId <<<"$credentials")" \
    "$(field SecretAccessKey <<<"$credentials")" "$(field Token <<<"$credentials")"
}

# -------------------------------------------------- the platform
post() { # path, with the body on standard input; prints the status, leaves the answer in a file
  local token=
  [ -s "$run/token" ] && token=$(<"$run/token")
  cat >"$run/body"
  printf 'header = "Content-Type: application/json"\n%s' "${token:+header = \"Authorization: Bearer $token\"}" |
    curl --silent --max-time 30 --config - --data-binary "@$run/body" --output "$run/answered" \
      --write-out '%{http_code}' "$PLATFORM_URL$1" || true
}

# Tags and record of a machine may be seen late. The platform gives a boot ten minutes. One that is only rebooted, by
# nobody's wish, is refused for good: with an agent of an earlier boot it waits for less.
exchange() {
  local patience=600 waited=0 wait=2 status
  ! docker inspect "$container" >/dev/null 2>&1 || patience=120
  while [ "$waited" -lt "$patience" ]; do
    if identity >"$run/proof"; then
      status=$(post /bootstrap/exchange <"$run/proof")
      if [ "$status" = 200 ]; then
        mv "$run/answered" "$answer"
        return 0
      fi
      say "the exchange was answered with $status"
    else
      say "no credentials of the instance's role yet"
    fi
    sleep "$wait"
    waited=$((waited + wait))
    wait=$((wait < 8 ? wait * 2 : 15))
  done
  return 1
}

# What is reported must not tell a secret: values of the environment are blanked out of the agent's own words.
report() { # sentence
  tail -c 8000 "$log" | python3 -c '
import json, os, sys
text = sys.stdin.buffer.read().decode(errors="replace")
if os.path.exists(sys.argv[2]):
    answer = json.load(open(sys.argv[2]))
    for value in sorted([*answer["env"].values(), answer["token"]], key=len, reverse=True):
        text = text.replace(value, "***") if len(value) > 7 else text
print(json.dumps({"error": sys.argv[1], "log_tail": text}))' "$1" "$answer" |
    post "/admin/workspaces/$WORKSPACE_ID/bootstrap-failed"
}

fail() { # sentence
  trap - ERR
  say "$1"
  if [ -s "$run/token" ]; then
    say "the report of it was answered with $(report "$1")"
  fi
  clean
  exit 1
}

clean() { rm -f "$run"/{token,body,proof,answered,answer.json,env,lines}; }

# -------------------------------------------------- the container
tools() {
  command -v docker >/dev/null || dnf --assumeyes --quiet install docker >>"$log" 2>&1 || return
  systemctl start docker >>"$log" 2>&1
}

pull() { # image
  local try registry=${1%%/*}
  for try in 1 2 3 4 5; do
    if [[ $registry =~ ^[0-9]+\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com ]]; then
      aws ecr get-login-password --region "${BASH_REMATCH[1]}" 2>>"$log" |
        docker login --username AWS --password-stdin "$registry" >>"$log" 2>&1 || say "no login at $registry"
    fi
    docker pull --quiet "$1" >>"$log" 2>&1 && return
    say "try $try to pull the image failed"
    sleep $((try * 4))
  done
  return 1
}

# Many agents register HOSTNAME; Docker's own is the container's id. Its files of variables cannot hold a line break:
# such a value is passed on from the environment of the call.
start() { # image
  local pair configs
  python3 -c '
import json, sys
answer, host = json.load(open(sys.argv[1])), sys.argv[2]
ours = {"PORT": "8000", "HOSTNAME": host, "AGENT_URL": f"http://{host}:8000"}
for name, value in {**ours, **answer["env"], "AUTH_TOKEN": answer["token"]}.items():
    broken = "\n" in value or "\r" in value
    print(name if broken else f"{name}={value}", file=sys.stderr)
    if broken:
        sys.stdout.write(f"{name}={value}\0")' "$answer" "$address" >"$run/lines" 2>"$run/env"
  docker rm --force "$container" >/dev/null 2>&1 || true
  if [ "$(field reset_session <"$answer")" = True ]; then
    docker volume rm --force sessions >>"$log" 2>&1 || return
  fi
  (
    while IFS= read -r -d '' pair; do export "${pair?}"; done <"$run/lines"
    # With `on-failure` docker starts nothing at boot: that is for this script, after the exchange, or the agent would
    # come up with a dead token.
    exec docker create --name "$container" --env-file "$run/env" --restart on-failure --publish 8000:8000 \
      --volume workspace:/workspace --volume configs:/configs --volume sessions:/root/.claude/sessions "$1"
  ) >>"$log" 2>&1 || return
  # Agents read their token here. Made after the container, which fills the folder from its image.
  configs=$(docker volume inspect --format '{{.Mountpoint}}' configs 2>>"$log") || return
  cp "$run/token" "$configs/.auth_token"
  chown --reference "$configs" "$configs/.auth_token"
  docker start "$container" >>"$log" 2>&1
}

# Whether it still runs after ten seconds; what it says later goes to the platform by itself.
stays_up() {
  local state
  for _ in {1..10}; do
    sleep 1
    state=$(docker inspect --format '{{.State.Status}} {{.RestartCount}}' "$container") || return
    case $state in
      'running 0' | 'created 0') ;;
      *)
        docker logs --tail 40 "$container" >>"$log" 2>&1 || true
        return 1
        ;;
    esac
  done
}

# -------------------------------------------------- uploads
# To where messages say they are. The agent owns that folder and this is root: no link in it is followed.
pull_files() {
  local volume configs seen=
  volume=$(docker volume inspect --format '{{.Mountpoint}}' workspace)
  configs=$(docker volume inspect --format '{{.Mountpoint}}' configs)
  while sleep 10; do
    seen=$(printf 'header = "Authorization: Bearer %s"\n' "$(<"$configs/.auth_token")" |
      curl --silent --fail --max-time 30 --config - \
        "$PLATFORM_URL/workspaces/$WORKSPACE_ID/chat/uploads?seen=$seen" | python3 -c '
import json, os, subprocess, sys
answer, place = json.load(sys.stdin), os.open(sys.argv[1], os.O_DIRECTORY)
os.umask(0)
for name in ".molecule", "chat-uploads":
    if name not in os.listdir(place):
        os.mkdir(name, 0o777, dir_fd=place)
    place = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
there = os.listdir(place)
for file in answer["files"]:
    name = os.path.basename(file["name"])
    if name not in there:
        part = os.open(".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644, dir_fd=place)
        url = "url = " + json.dumps(file["url"])
        subprocess.run(["curl", "-sf", "-K", "-"], input=url, text=True, stdout=part, check=True)
        os.rename(".part", name, src_dir_fd=place, dst_dir_fd=place)
print(answer["seen"])' "$volume") || seen=
  done
}

# cloud-init runs user data once in the life of a machine; what lies in this folder, at every boot.
stay() {
  local place=$root/var/lib/cloud/scripts/per-boot/agent
  [ "$0" -ef "$place" ] && return
  mkdir -p "${place%/*}"
  cp "$0" "$place.part"
  chmod 700 "$place.part"
  mv "$place.part" "$place"
}

main() {
  local image
  mkdir -p "$run"
  exec 9>"$run/lock"
  flock --nonblock 9 || exit 0
  [ ! -e "$run/booted" ] || exit 0 # this boot is done; the next one finds an empty tmpfs
  trap 'fail "the boot script broke off in line $LINENO"' ERR
  say "workspace $WORKSPACE_ID, runtime $RUNTIME"
  stay
  tools || fail "docker cannot be started"
  if exchange; then
    field token <"$answer" >"$run/token"
    image=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["image"] or "")' <"$answer")
    image=${image:-$IMAGE}
    say "generation $(field generation <"$answer"), image ${image:-unknown}"
    [ -n "$image" ] || fail "the platform has no image for the runtime $RUNTIME"
    pull "$image" || fail "the image cannot be pulled"
    start "$image" || fail "the container cannot be started"
    stays_up || fail "the agent ended"
  else
    # Rebooted by nobody's wish: what it has is still good.
    docker start "$container" >/dev/null 2>&1 || fail "the platform did not let this machine in"
  fi
  systemd-run --quiet --collect --property Restart=always "$root/var/lib/cloud/scripts/per-boot/agent" pull ||
    say "files of the chat will not be copied"
  touch "$run/booted"
  clean
  say "the agent runs"
}

# Tests read the functions without running them.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  case ${1-} in pull) pull_files ;; *) main ;; esac
fi
