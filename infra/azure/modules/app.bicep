// One function app on Flex Consumption, Python 3.13: responder or executor, with an identity of its own.
param location string
param tags object
param token string

@description('responder or executor.')
param app string
param identityId string
param clientId string

@description('The name of the host\'s own storage account, and the container of the deployment package.')
param hostAccount string
param packageUrl string
param insightsConnectionString string
param workspaceId string

@description('What shared/settings.py reads.')
param settings object

@description('Instances that are kept warm by scale group: http, function:work.')
param alwaysReady array

@description('Requests that one instance answers side by side.')
param httpConcurrency int
param maximumInstances int
@allowed([512, 2048, 4096])
param memoryMB int

@description('A subnet for all outgoing requests; empty for none.')
param subnetId string

@description('Who may call the app, and who may deploy to it; everybody where a list is empty and open is true.')
param ingress array
param openIngress bool
param deployIngress array
param openDeployIngress bool

@description('The client id of the app registration that signs people in; empty for an app without HTTP.')
param audience string

// What the platform and the SDKs read; shared/settings.py does not.
var platformSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  AZURE_CLIENT_ID: clientId
  AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
  AzureWebJobsDisableHomepage: 'true'
  AzureWebJobsStorage__accountName: hostAccount
  AzureWebJobsStorage__clientId: clientId
  AzureWebJobsStorage__credential: 'managedidentity'
}
var allSettings = union(settings, platformSettings)

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-backstop-${app}-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-backstop-${app}-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': app })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
        instanceMemoryMB: memoryMB
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: {
      appSettings: map(items(allSettings), one => { name: one.key, value: one.value })
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictions: ingress
      ipSecurityRestrictionsDefaultAction: openIngress ? 'Allow' : 'Deny'
      scmIpSecurityRestrictions: deployIngress
      scmIpSecurityRestrictionsDefaultAction: openDeployIngress ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}

resource passwords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = [
  for way in ['ftp', 'scm']: {
    parent: site
    name: way
    properties: { allow: false }
  }
]

// Requests without a session go through: programs bring tokens of their own, and the code checks every one.
resource signIn 'Microsoft.Web/sites/config@2024-04-01' = if (!empty(audience)) {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: audience
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        login: { loginParameters: ['scope=openid profile'] }
        validation: { allowedAudiences: [audience, 'api://${audience}'] }
      }
    }
    login: { tokenStore: { enabled: true } }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: site
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
  }
}

output name string = site.name
output hostName string = site.properties.defaultHostName
