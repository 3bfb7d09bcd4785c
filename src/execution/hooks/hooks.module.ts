import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { HookChain } from './hook-chain.service.js';

/** Finds the hooks of the whole application. */
@Module({ imports: [DiscoveryModule], providers: [HookChain], exports: [HookChain] })
export class HooksModule {}
