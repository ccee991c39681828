#!/usr/bin/env bash
# Makes the plan, and posts it: one comment on each pull request, which is written anew.
set -euo pipefail

mark='<!-- rotate-plan -->'
body=$(mktemp)
trap 'rm -f "$body"' EXIT

# A plan starts no program that the file names, whatever the workflow around it has set. The token is not for it.
unset ROTATE_ALLOW_EXEC
token=$PLAN_TOKEN
unset PLAN_TOKEN

# It becomes part of a question to the vendor: what no login can be is a slip, or worse.
if ! [[ $PLAN_AUTHOR =~ ^[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?$ ]]; then
  echo "rotate-plan: author: write the login that comments with the token, such as github-actions[bot]" >&2
  exit 64
fi

words=(--config "$PLAN_CONFIG")
if [ -n "$PLAN_STATE_DIR" ]; then words+=(--state-dir "$PLAN_STATE_DIR"); fi
words+=(plan --output markdown --detailed-exitcode)
if [ "$PLAN_VENDORS" != true ]; then words+=(--offline); fi

code=0
plan=$("$PLAN_ROTATE" "${words[@]}") || code=$?
case $code in
  0) echo "changes=false" >>"$GITHUB_OUTPUT" ;;
  2) echo "changes=true" >>"$GITHUB_OUTPUT" ;;
  *) # The program has said what is wrong, and there may be no plan.
    [ -n "$plan" ] || exit "$code" ;;
esac

# A comment holds 65,536 characters; what is cut in the middle of one is dropped.
printf '%s\n%s\n' "$mark" "$plan" | head -c 60000 | iconv -c -f UTF-8 -t UTF-8 >"$body" || true
cat "$body" >>"$GITHUB_STEP_SUMMARY"

if [ -n "$PLAN_NUMBER" ] && [ "$PLAN_MAY_COMMENT" = true ]; then
  export GH_TOKEN=$token
  # Only a comment of its own is written anew, whoever else has copied its mark.
  ours=".[] | select(.user.login == \"$PLAN_AUTHOR\" and (.body | startswith(\"$mark\"))) | .id"
  comment=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PLAN_NUMBER/comments" --jq "$ours" | sed -n 1p)
  if [ -n "$comment" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$comment" --field "body=@$body"
  else
    gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$PLAN_NUMBER/comments" --field "body=@$body"
  fi
fi

if [ "$code" -ne 2 ]; then exit "$code"; fi
