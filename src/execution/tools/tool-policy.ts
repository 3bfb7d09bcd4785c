import type { ToolPolicy, ToolRule } from '../../config/mcp-config.js';
import type { ToolDefinition, ToolRef } from '../../agents/tools/tool-definition.js';

/** Who is about to use a tool. `agent` undefined: from any agent, which is what people ask who look around. */
export interface ToolUser {
  readonly roles: readonly string[];
  readonly agent: string | undefined;
}

/** Whether the operator lets this user use the tool from there. */
export function mayUse({ allow, deny }: ToolPolicy, tool: ToolRef, user: ToolUser): boolean {
  if (deny?.some((rule) => isAbout(rule, tool, user, false))) return false;
  return allow === undefined || allow.some((rule) => isAbout(rule, tool, user, true));
}

/** False when the user may use no tool of that server, whatever tools it has: it need not even be asked for them. */
export function mayUseServer({ allow, deny }: ToolPolicy, server: string, user: ToolUser): boolean {
  const any = { server, tool: '*' };
  if (deny?.some((rule) => isAbout(rule, any, user, false))) return false;
  return allow === undefined || allow.some((rule) => isAbout({ ...rule, tool: undefined }, any, user, true));
}

/** Whether the user is asked before each call. */
export function mustAsk({ approve, trust }: ToolPolicy, tool: ToolDefinition, user: ToolUser): boolean {
  if (tool.needsApproval || approve?.some((rule) => isAbout(rule, tool, user, false))) return true;
  return (tool.destructive || tool.openWorld) && !trust?.some((rule) => isAbout(rule, tool, user, false));
}

/** @param someAgent whether a rule for one agent is about a user who asks for any */
function isAbout(rule: ToolRule, { server, tool }: ToolRef, { roles, agent }: ToolUser, someAgent: boolean): boolean {
  return (
    fits(rule.server, server) &&
    fits(rule.tool, tool) &&
    (rule.role === undefined || roles.some((role) => fits(rule.role, role))) &&
    (agent === undefined ? someAgent || rule.agent === undefined : fits(rule.agent, agent))
  );
}

/** By hand and in linear time, for the names come from servers. `*` stands for any characters. */
function fits(pattern: string | undefined, name: string): boolean {
  if (pattern === undefined || pattern === name) return true;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined || !name.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}
