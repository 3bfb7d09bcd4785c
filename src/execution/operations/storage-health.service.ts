import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HealthParts } from '../health-parts.js';
import { OPERATIONS_STORE, type OperationsStore } from './operations-store.port.js';

/** Without its storage the server can do nothing. */
@Injectable()
export class StorageHealth implements OnModuleInit {
  constructor(
    private readonly health: HealthParts,
    @Inject(OPERATIONS_STORE) private readonly store: OperationsStore,
  ) {}

  onModuleInit(): void {
    this.health.register({
      name: 'storage',
      check: async () => {
        await this.store.switches();
        return { status: 'ok' };
      },
    });
  }
}
