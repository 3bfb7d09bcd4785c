import { Injectable } from '@nestjs/common';
import { Registry } from 'prom-client';

/** This application's metrics: not those of the process, for several applications may live in one. */
@Injectable()
export class MetricsRegistry extends Registry {}
