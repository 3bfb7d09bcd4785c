// Writes docs/errors.md: `npm run docs:errors`, after a build.
import { writeFileSync } from 'node:fs';
import { renderErrorDocs } from '../dist/edge/error-docs.js';

writeFileSync(new URL('../docs/errors.md', import.meta.url), renderErrorDocs());
