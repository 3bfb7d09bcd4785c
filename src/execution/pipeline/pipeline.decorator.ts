import { Injectable } from '@nestjs/common';
import type { PipelineOptions } from './pipeline-provider.js';
import type { PipelineClass } from './pipeline-types.js';

/** A text, not a symbol, for the same reason as an agent's. */
const PIPELINE_METADATA = 'carrel:pipeline';

/**
 * Makes a class a pipeline, which the registry finds in whatever module provides it. In plain JavaScript call it:
 * `Pipeline({ … })(SomeClass)`, which returns the class. Mistakes are refused at boot, by name.
 */
export function Pipeline(options: PipelineOptions) {
  return <Class extends PipelineClass>(pipelineClass: Class): Class => {
    Injectable()(pipelineClass);
    Reflect.defineMetadata(PIPELINE_METADATA, options, pipelineClass);
    return pipelineClass;
  };
}

/** How a class was declared; `undefined` for what is no pipeline itself. Not checked yet. */
export function declaredPipeline(candidate: object): unknown {
  return Reflect.getOwnMetadata(PIPELINE_METADATA, candidate);
}

export function isPipelineClass(candidate: object): candidate is PipelineClass {
  return declaredPipeline(candidate) !== undefined;
}
