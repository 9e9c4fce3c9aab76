# Paste the token from "auth_token" and the address your agent answers on, then run.
WORKSPACE_AUTH_TOKEN="<paste from create response>"
AGENT_URL="https://your-agent.example.com"
curl -fsS -X POST "{{platform}}/registry/register" \
  -H "Authorization: Bearer $WORKSPACE_AUTH_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"id":"{{id}}","url":"'"$AGENT_URL"'","agent_card":{"name":"My agent","description":"Runs on my own host","version":"1.0.0"}}'
