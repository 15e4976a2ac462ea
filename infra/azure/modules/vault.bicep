// A vault an app: no app can read another one's secrets. The executor's holds the key that seals are signed with.
param location string
param tags object
param token string

@description('Whose it is: responder or executor.')
param app string
param name string

@description('The name of an RSA key for seals; empty where this app signs nothing.')
param keyName string

@description('What is granted on this vault and its key: rows of grants.json.')
param grants array
param principals object
param roleIds object

@description('Who deploys and fills in the secrets: object id in Entra; empty for nobody.')
param deployerId string
param workspaceId string

param privateNetworking bool
param subnetId string
param zoneId string
param lockResources bool

@description('Networks from which secrets are filled in where the vault is private, as CIDR.')
param allowedNetworks array

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: privateNetworking && empty(allowedNetworks) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
      ipRules: map(privateNetworking ? allowedNetworks : [], network => { value: network })
    }
  }
}

resource key 'Microsoft.KeyVault/vaults/keys@2023-07-01' = if (!empty(keyName)) {
  parent: vault
  name: empty(keyName) ? 'none' : keyName
  properties: {
    kty: 'RSA'
    keySize: 3072
    keyOps: ['sign', 'verify']
    attributes: { enabled: true, exportable: false }
  }
}

resource vaultGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in filter(grants, grant => grant.on == 'vault'): {
    name: guid(vault.id, principals[grant.identity], grant.role)
    scope: vault
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource keyGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in filter(grants, grant => grant.on == 'key'): {
    name: guid(key.id, principals[grant.identity], grant.role)
    scope: key
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

// A person or a pipeline: ARM finds out itself which.
resource deployerGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerId)) {
  name: guid(vault.id, deployerId, 'Key Vault Secrets Officer')
  scope: vault
  properties: {
    roleDefinitionId: roleIds['Key Vault Secrets Officer']
    principalId: deployerId
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (lockResources) {
  name: 'keep'
  scope: vault
  properties: {
    level: 'CanNotDelete'
    notes: 'Without its key no new seal follows the old ones. Take this lock off before a teardown.'
  }
}

module endpoint 'private-endpoint.bicep' = if (privateNetworking) {
  name: 'vault-endpoint-${app}'
  params: {
    name: 'pep-vault-${app}-${token}'
    location: location
    tags: tags
    subnetId: subnetId
    zoneId: zoneId
    targetId: vault.id
    service: 'vault'
  }
}

output name string = vault.name
