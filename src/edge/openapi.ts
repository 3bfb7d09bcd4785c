import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Serves the OpenAPI document at `/docs-json`, and a page to read and try it at `/docs`. */
export function installOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder().setTitle('Carrel').setOpenAPIVersion('3.1.0').build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), { raw: ['json'] });
}
