import type * as Swagger from '@nestjs/swagger';
import type { ErrorCode } from '../../shared/errors.js';
import { NotedDecorators } from '../../shared/noted-decorators.js';
import type { Documented as DocumentedRoute } from './route-documentation.js';

/** Those of the package, and our own that is made of them. */
type Library = typeof Swagger & { readonly Documented: typeof DocumentedRoute };

const swagger = new NotedDecorators<Library>();

/**
 * Decorators of `@nestjs/swagger` that are noted, and applied when somebody asks for the document: that package loads
 * 540 modules, and nobody has to wait for them who just starts a server.
 */
export const ApiBody = swagger.of('ApiBody');
export const ApiExcludeController = swagger.of('ApiExcludeController');
export const ApiHeader = swagger.of('ApiHeader');
export const ApiParam = swagger.of('ApiParam');
export const ApiProperty = swagger.of('ApiProperty');
export const ApiPropertyOptional = swagger.of('ApiPropertyOptional');
export const ApiTags = swagger.of('ApiTags');

/** Everything that the OpenAPI document says of a route, beside its parameters. */
export const Documented = swagger.of('Documented');

/** What is refused of a body also where nobody asks for one. */
export const UNASKED_BODY: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

/** Applies them; to be called before a document is made. */
export function applyApiDecorators(library: Library): void {
  swagger.apply(library);
}
