import { catalogStoreContract } from '../contract/catalog-store.ts'
import { memoryCatalogStore } from './memory-catalog-store.ts'

catalogStoreContract('the in-memory fake', async () => ({ store: memoryCatalogStore(), stop: async () => undefined }))
