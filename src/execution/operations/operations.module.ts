import { Module } from '@nestjs/common';
import { MetricsModule } from '../metrics/metrics.module.js';
import { RunCancel } from '../run-cancel.service.js';
import { KillSwitches } from './kill-switches.service.js';
import { StorageHealth } from './storage-health.service.js';
import { Switchboard } from './switchboard.js';
import { SwitchboardWatch } from './switchboard-watch.service.js';

/** What operators do to a server that runs. */
@Module({
  imports: [MetricsModule],
  providers: [KillSwitches, RunCancel, StorageHealth, Switchboard, SwitchboardWatch],
  exports: [KillSwitches, RunCancel, Switchboard],
})
export class OperationsModule {}
