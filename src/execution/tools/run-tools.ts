import type { UsableTool } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import type { UserTools } from '../../agents/tools/user-tools.js';
import type { JsonObject } from '../../shared/json.js';
import { resultOfStep } from '../step-result.js';
import type { ToolCaller } from './tool-calls.service.js';
import { unpacked } from './tool-record.js';

/** `AgentRun.tools`. Made for whoever asks for it, since most agents do not. */
export class RunTools implements UserTools {
  /** @param assertOpen throws when the attempt is over */
  constructor(
    private readonly caller: ToolCaller,
    private readonly assertOpen: () => void,
  ) {}

  list(): Promise<readonly UsableTool[]> {
    return quietly(this.listed());
  }

  call(server: string, tool: string, args: JsonObject = {}): Promise<ToolResult> {
    return quietly(this.called(server, tool, args));
  }

  private async listed(): Promise<readonly UsableTool[]> {
    this.assertOpen();
    const { steps, agent } = this.caller;
    steps.place.life.onProgress();
    const { tools } = await steps.parts.tools.catalogue.list(steps.context, agent);
    return tools;
  }

  private async called(server: string, tool: string, args: JsonObject): Promise<ToolResult> {
    this.assertOpen();
    const ref = { server: String(server), tool: String(tool) };
    return unpacked(await resultOfStep(this.caller.steps.parts.tools.call(this.caller, ref, args)));
  }
}

/** A rejection that the agent does not wait for must not end the process. */
function quietly<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
