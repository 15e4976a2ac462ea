// The storage account of what is never changed: seals, copies of the ledger, bundles. Apart from the tables, so
// that whoever may rewrite those cannot rewrite these.
param location string
param tags object
param token string

@description('What is granted on single containers: rows of grants.json.')
param grants array
param principals object
param roleIds object
param workspaceId string

param privateNetworking bool
param subnetId string
param zoneId string
param lockResources bool

@description('How long nothing can be changed or deleted, days; the EU AI Act asks for six months.')
@minValue(184)
param immutableDays int

@description('Say so once the policies are locked: a locked policy is not written again.')
param immutabilityLocked bool

@description('After how many days copies of each class are deleted: longer than BACKSTOP_RETAIN_*_DAYS.')
param copiesDays object

var names = ['seals', 'ledger', 'evidence']

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'stkept${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    accessTier: 'Cool'
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
    }
  }
}

resource service 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: 30 }
    containerDeleteRetentionPolicy: { enabled: true, days: 30 }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for name in names: {
    parent: service
    name: name
    properties: { publicAccess: 'None' }
  }
]

resource policies 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2023-05-01' = [
  for (name, i) in names: if (!immutabilityLocked) {
    parent: containers[i]
    name: 'default'
    properties: {
      immutabilityPeriodSinceCreationInDays: immutableDays
      allowProtectedAppendWrites: false
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: map(items(copiesDays), class => {
        name: 'copies-of-${class.key}'
        enabled: true
        type: 'Lifecycle'
        definition: {
          filters: {
            blobTypes: ['blockBlob']
            prefixMatch: ['ledger/${class.key}/']
          }
          actions: {
            baseBlob: { delete: { daysAfterCreationGreaterThan: class.value } }
            version: { delete: { daysAfterCreationGreaterThan: class.value } }
          }
        }
      })
    }
  }
  dependsOn: [service]
}

resource granted 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' existing = [
  for grant in grants: {
    parent: service
    name: grant.name
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in grants: {
    name: guid(granted[i].id, principals[grant.identity], grant.role)
    scope: granted[i]
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
    dependsOn: [containers]
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: service
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (lockResources) {
  name: 'keep'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Evidence. Take this lock off before a teardown; a locked policy keeps the account until it ends.'
  }
}

module endpoint 'private-endpoint.bicep' = if (privateNetworking) {
  name: 'evidence-endpoint'
  params: {
    name: 'pep-evidence-${token}'
    location: location
    tags: tags
    subnetId: subnetId
    zoneId: zoneId
    targetId: account.id
    service: 'blob'
  }
}

@description('What BACKSTOP_BLOBS says.')
output url string = 'https://${account.name}.blob.${environment().suffixes.storage}'
output accountName string = account.name
