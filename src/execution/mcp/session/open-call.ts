import {
  isSpecType,
  ProtocolError,
  ProtocolErrorCode,
  type InputRequest,
  type InputResponse,
  type ListRootsResult,
} from '@modelcontextprotocol/client';
import { pathToFileURL } from 'node:url';
import type { ToolRef } from '../../../agents/tools/tool-definition.js';
import type { ToolInvocation } from '../../tools/tool-source.port.js';
import { elicit } from './elicitation.js';
import { sample } from './sampling.js';

/** What a server may ask in the middle of one call. */
const MAX_QUESTIONS = 16;

/** A call under way, in whose middle the server may ask its user something, or the model. */
export class OpenCall {
  /** Why a question could not be put to the run: the call's own failure, whatever the server makes of it. */
  failure: unknown;
  private asked = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly ref: ToolRef,
    readonly invocation: ToolInvocation,
  ) {}

  get signal(): AbortSignal {
    return this.invocation.signal;
  }

  /**
   * One question at a time, in their order, for they are steps of the run.
   *
   * @throws ProtocolError for the server
   */
  async answer(request: InputRequest, folder: string | undefined): Promise<InputResponse> {
    const answer = this.last.then(() => this.answerNext(request, folder));
    this.last = answer.catch(() => undefined);
    return await answer;
  }

  private async answerNext(request: InputRequest, folder: string | undefined): Promise<InputResponse> {
    this.asked += 1;
    if (this.asked > MAX_QUESTIONS) throw refused(`a call may ask at most ${MAX_QUESTIONS} times`);
    try {
      this.signal.throwIfAborted();
      if (isSpecType.ElicitRequest(request)) return await elicit(request, this.ref, this.invocation);
      if (isSpecType.CreateMessageRequest(request)) return await sample(request, this.invocation);
      if (isSpecType.ListRootsRequest(request) && folder !== undefined) return rootsOf(folder);
      throw refused('there is nobody here to answer that');
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      this.failure ??= error;
      throw new ProtocolError(ProtocolErrorCode.InternalError, 'the call is over'); // the reason is the user's affair
    }
  }
}

/** The user's own folder, and nothing else. */
export function rootsOf(folder: string): ListRootsResult {
  return { roots: [{ uri: pathToFileURL(folder).href, name: 'files' }] };
}

function refused(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidRequest, why);
}
