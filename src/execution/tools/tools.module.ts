import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ToolCalls } from './tool-calls.service.js';
import { ToolCatalogue } from './tool-catalogue.service.js';
import { ToolSchemas } from './tool-schemas.service.js';
import { ToolSources } from './tool-sources.service.js';

/** The tools that agents may call. Whoever has more of them provides a `TOOL_SOURCES`, in whatever module. */
@Module({
  imports: [DiscoveryModule],
  providers: [ToolCalls, ToolCatalogue, ToolSchemas, ToolSources],
  exports: [ToolCalls, ToolCatalogue, ToolSchemas, ToolSources],
})
export class ToolsModule {}
