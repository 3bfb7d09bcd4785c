import { Module } from '@nestjs/common';
import { Budgets } from './budgets.service.js';

/** What users may spend on models. Its store comes from the composition root. */
@Module({ providers: [Budgets], exports: [Budgets] })
export class BudgetsModule {}
