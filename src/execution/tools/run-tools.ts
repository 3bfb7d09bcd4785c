import type { UsableTool } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import type { UserTools } from '../../agents/tools/user-tools.js';
import type { JsonObject } from '../../shared/json.js';
import type { ToolCaller, ToolDoor } from '../tool-step.js';

/** `AgentRun.tools`. Made for whoever asks for it, since most agents do not. */
export class RunTools implements UserTools {
  /** @param assertOpen throws when the attempt is over */
  constructor(
    private readonly caller: ToolCaller,
    private readonly door: ToolDoor,
    private readonly assertOpen: () => void,
  ) {}

  list(): Promise<readonly UsableTool[]> {
    return this.ifOpen(() => this.door.list(this.caller));
  }

  call(server: string, tool: string, args: JsonObject = {}): Promise<ToolResult> {
    return this.ifOpen(() => this.door.call(this.caller, { server: String(server), tool: String(tool) }, args));
  }

  /** A rejection that the agent does not wait for must not end the process. */
  private ifOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    const opened = async () => {
      this.assertOpen();
      return work();
    };
    const promise = opened();
    promise.catch(() => undefined);
    return promise;
  }
}
