import { Module } from '@nestjs/common';
import { ExecutionModule } from '../execution/execution.module.js';
import { SharedStateController } from './shared-state.controller.js';
import { SharedStateGuideController } from './shared-state-guide.controller.js';
import { SharedStateWarnings } from './shared-state-warnings.service.js';

/** The door for those who come from a shared state object; only there when `CARREL_ACCEPT_SHARED_STATE` says so. */
@Module({
  imports: [ExecutionModule],
  controllers: [SharedStateController, SharedStateGuideController],
  providers: [SharedStateWarnings],
})
export class SharedStateModule {}
