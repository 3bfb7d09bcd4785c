import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentsModule } from '../../agents/agents.module.js';
import { OwnTools } from './own-tools.source.js';
import { ToolCalls } from './tool-calls.service.js';
import { ToolCatalogue } from './tool-catalogue.service.js';
import { ToolSchemas } from './tool-schemas.service.js';
import { TOOL_SOURCES } from './tool-source.port.js';
import { ToolSources } from './tool-sources.service.js';

/** The tools that agents may call. Whoever has more of them provides a `TOOL_SOURCES`, in whatever module. */
@Module({
  imports: [AgentsModule, DiscoveryModule],
  providers: [
    OwnTools,
    { provide: TOOL_SOURCES, useExisting: OwnTools },
    ToolCalls,
    ToolCatalogue,
    ToolSchemas,
    ToolSources,
  ],
  exports: [ToolCalls, ToolCatalogue, ToolSchemas, ToolSources],
})
export class ToolsModule {}
