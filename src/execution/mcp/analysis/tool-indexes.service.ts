import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ToolDefinition } from '../../../agents/tools/tool-definition.js';
import type { UserId } from '../../../shared/ids.js';
import type { ToolIndex } from './tool-index.js';

const MAX_USERS = 200;
/** A user has few lists: all tools from here and there, those of a server. */
const MAX_LISTS = 4;

/** The full-text indexes of what users may use, kept by user for as long as the tools say the same of themselves. */
@Injectable()
export class ToolIndexes {
  private readonly byUser = new LRUCache<UserId, readonly ToolIndex[]>({ max: MAX_USERS });

  async of(userId: UserId, tools: readonly ToolDefinition[]): Promise<ToolIndex> {
    const { ToolIndex } = await import('./tool-index.js');
    const known = this.kept(userId).find((index) => isOf(index, tools));
    const index = known ?? (await ToolIndex.of(tools));
    const others = this.kept(userId).filter((one) => one !== index);
    this.byUser.set(userId, [index, ...others].slice(0, MAX_LISTS));
    return index;
  }

  private kept(userId: UserId): readonly ToolIndex[] {
    return this.byUser.get(userId) ?? [];
  }
}

function isOf(index: ToolIndex, tools: readonly ToolDefinition[]): boolean {
  return (
    index.tools.length === tools.length && index.tools.every(({ definition }, at) => isSame(definition, tools[at]!))
  );
}

/** Schemas are compared as the objects that they are: a listing that is read again has new ones. */
function isSame(one: ToolDefinition, other: ToolDefinition): boolean {
  return (
    one.server === other.server &&
    one.tool === other.tool &&
    one.title === other.title &&
    one.description === other.description &&
    one.inputSchema === other.inputSchema
  );
}
